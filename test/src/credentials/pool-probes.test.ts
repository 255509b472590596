import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pool } from '../../../src/credentials/pool.ts';
import type { PooledCredential, Suspension } from '../../../src/credentials/snapshot.ts';
import { leased, names, pooled, snapshotOf, suspension, tally, wanting } from './sample-pool.ts';

const END = 1_000;
const granted = (slot: number, part: Partial<Suspension> = {}): Suspension =>
  suspension({ until: END, probe: { worker: slot, validUntil: END + 1_000 }, ...part });
const halfOpen = (id: string, ...suspensions: Suspension[]): PooledCredential => pooled(id, { suspensions });

function poolOf(slot: number, ...credentials: PooledCredential[]): Pool {
  const pool = new Pool(slot, slot);
  pool.apply(snapshotOf(1, ...credentials), 0);
  return pool;
}

describe('a grant to probe a half-open credential', () => {
  it('sends the very next request to it, once, marked as the probe', () => {
    const pool = poolOf(0, halfOpen('a', granted(0)), pooled('b'));
    const lease = leased(pool.lease(wanting(), END));
    assert.deepEqual([lease.name, lease.probeOf], ['a', granted(0)]);
    assert.deepEqual(tally(names(pool, 5, wanting(), END)), { b: 5 });
  });

  it('is for its slot only', () => {
    const pool = poolOf(1, halfOpen('a', granted(0)), pooled('b'));
    assert.deepEqual(tally(names(pool, 5, wanting(), END)), { b: 5 });
  });

  it('is worth nothing before the cooldown has ended, nor when its own time is over', () => {
    const pool = poolOf(0, halfOpen('a', granted(0)), pooled('b'));
    for (const now of [END - 1, END + 1_000]) assert.deepEqual(names(pool, 2, wanting(), now), ['b', 'b']);
    assert.equal(names(pool, 1, wanting(), END + 999)[0], 'a');
  });

  it('is not used again when another snapshot repeats it, but a new one is', () => {
    const pool = poolOf(0, halfOpen('a', granted(0)), pooled('b'));
    names(pool, 1, wanting(), END);
    pool.apply(snapshotOf(2, halfOpen('a', granted(0)), pooled('b')), 0);
    assert.deepEqual(names(pool, 2, wanting(), END + 1), ['b', 'b']);
    const next = granted(0, { probe: { worker: 0, validUntil: END + 5_000 } });
    pool.apply(snapshotOf(3, halfOpen('a', next), pooled('b')), 0);
    assert.deepEqual(names(pool, 3, wanting(), END + 2), ['a', 'b', 'b']);
  });

  it('for one model is used by a request for that model only', () => {
    const pool = poolOf(0, halfOpen('a', granted(0, { model: 'm' })), pooled('b'));
    assert.equal(leased(pool.lease(wanting({ model: 'n' }), END)).probeOf, null);
    assert.equal(leased(pool.lease(wanting({ model: 'm' }), END)).probeOf?.model, 'm');
    assert.deepEqual(names(pool, 2, wanting({ model: 'm' }), END), ['b', 'b']);
  });

  it('for every request covers the ended cooldown of a model, whose own grant may be elsewhere', () => {
    const both = [granted(1, { model: 'm' }), granted(0)];
    const mine = poolOf(0, halfOpen('a', ...both), pooled('b'));
    assert.deepEqual(leased(mine.lease(wanting({ model: 'm' }), END)).probeOf, granted(0));
    const other = poolOf(1, halfOpen('a', ...both), pooled('b'));
    assert.equal(leased(other.lease(wanting({ model: 'm' }), END)).name, 'b');
  });

  it('for every request does not cover a model that is cooled still', () => {
    const both = [granted(0), granted(1, { model: 'm', until: END * 9 })];
    const pool = poolOf(0, halfOpen('a', ...both), pooled('b'));
    assert.equal(leased(pool.lease(wanting({ model: 'm' }), END)).name, 'b');
  });

  it('is used by conversations of that credential, and never draws another one over', () => {
    const whole = poolOf(0, pooled('a'), pooled('b'));
    const keys = Array.from({ length: 40 }, (_, i) => `session-${i}`);
    const home = (pool: Pool, affinityKey: string): string =>
      leased(pool.lease(wanting({ affinityKey }), END)).name;
    const ofA = keys.filter((key) => home(whole, key) === 'a');
    const ofB = keys.filter((key) => home(whole, key) === 'b');
    const pool = poolOf(0, halfOpen('a', granted(0)), pooled('b'));
    for (const key of ofB) assert.equal(home(pool, key), 'b');
    assert.deepEqual(
      ofA.map((key) => home(pool, key)).slice(0, 3),
      ['a', 'b', 'b'],
      'one of its own probes, the others wait elsewhere',
    );
  });

  it('is no matter for how many are available: the next request is served, whoever has it', () => {
    assert.equal(poolOf(0, halfOpen('a', granted(0))).countAvailable(END), 1);
    assert.equal(poolOf(1, halfOpen('a', granted(0))).countAvailable(END), 1);
    assert.equal(poolOf(1, halfOpen('a', granted(0))).countAvailable(END - 1), 0);
  });
});
