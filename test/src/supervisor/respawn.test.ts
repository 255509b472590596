import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Death, decideRespawn, type RespawnDecision } from '../../../src/supervisor/respawn.ts';

const SECOND = 1_000;
const HOUR = 3_600_000;
const served = (at: number, lifetimeMs: number): Death => ({ at, lifetimeMs, wasReady: true });
const unborn = (at: number): Death => ({ at, lifetimeMs: 300, wasReady: false });
const many = (count: number, make: (index: number) => Death): Death[] =>
  Array.from({ length: count }, (_, index) => make(index));

const decide = (deaths: readonly Death[]): RespawnDecision => decideRespawn(deaths, false);

/** The delay before the next worker, or why there will be none. */
function outcome(decision: RespawnDecision): number | string {
  return decision.type === 'respawn' ? decision.delayMs : decision.reason;
}

describe('after a worker’s death', () => {
  it('a new one follows at once when it had lived for long, whatever happened before', () => {
    const deaths = [...many(15, (i) => served(i, 100)), served(20, HOUR)];
    assert.equal(outcome(decide(deaths)), 0);
  });

  it('early deaths delay the next one more and more, up to 5 s', () => {
    const delays = many(12, (i) => served(i * SECOND, 500)).map((_, index, deaths) =>
      outcome(decide(deaths.slice(0, index + 1))),
    );
    assert.deepEqual(delays, [0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000, 5_000]);
  });

  it('early deaths of more than a minute ago no longer count', () => {
    const deaths = [...many(15, (i) => served(i * SECOND, 500)), served(15 * SECOND + 61 * SECOND, 500)];
    assert.equal(outcome(decide(deaths)), 0);
  });

  it('five boots in a row without success end the service', () => {
    const decisions = many(5, (i) => unborn(i * SECOND)).map((_, index, deaths) =>
      outcome(decide(deaths.slice(0, index + 1))),
    );
    assert.deepEqual(decisions, [0, 100, 200, 400, '5 workers in a row ended before they could serve']);
  });

  it('while others serve they do not: the next one is tried again and again, every 5 s', () => {
    const delays = many(40, (i) => unborn(i * SECOND)).map((_, index, deaths) =>
      outcome(decideRespawn(deaths.slice(0, index + 1), true)),
    );
    assert.deepEqual(delays.slice(0, 5), [0, 100, 200, 400, 5_000]);
    assert.deepEqual(new Set(delays.slice(4)), new Set([5_000]));
  });

  it('a boot that succeeded in between breaks the row', () => {
    const deaths = [...many(4, (i) => unborn(i)), served(10, 500), unborn(11)];
    assert.equal(decide(deaths).type, 'respawn');
  });

  it('boots that fail now and then over weeks do not end the service', () => {
    assert.equal(outcome(decide(many(50, (i) => unborn(i * HOUR)))), 0);
  });

  it('twenty early deaths within a minute end the service, spread out they do not', () => {
    const reason = '20 workers ended within 60 s, each soon after its start';
    assert.equal(outcome(decide(many(20, (i) => served(i * 2 * SECOND, 500)))), reason);
    assert.equal(decide(many(19, (i) => served(i * 2 * SECOND, 500))).type, 'respawn');
    assert.equal(decide(many(100, (i) => served(i * 4 * SECOND, 500))).type, 'respawn');
  });

  it('nothing is decided against a service that has had no death', () => {
    assert.equal(outcome(decide([])), 0);
  });
});
