import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterFailure, type CooldownRecord, cooldownMs } from '../../../src/credentials/cooldown.ts';
import { failureOf, MINUTE } from './sample-pool.ts';

const SECOND = 1_000;
const row = [1, 2, 3, 4, 5, 6, 7, 8, 9, 500];

/** The record after failures of one credential, each leased and reported at its time. */
function after(...failures: [at: number, part?: Parameters<typeof failureOf>[1]][]): CooldownRecord {
  let record: CooldownRecord | undefined;
  for (const [at, part] of failures) {
    record = afterFailure(record, failureOf('a', { leasedAt: at, ...part }), at);
  }
  return record ?? assert.fail('no failure was given');
}

describe('a cooldown', () => {
  it('of a rejected credential doubles from 30 s to 10 minutes', () => {
    const seconds = row.map((failures) => cooldownMs('rejected', failures, null) / SECOND);
    assert.deepEqual(seconds, [30, 60, 120, 240, 480, 600, 600, 600, 600, 600]);
  });

  it('of a throttled credential doubles from 5 s to 10 minutes', () => {
    const seconds = row.map((failures) => cooldownMs('throttled', failures, null) / SECOND);
    assert.deepEqual(seconds, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it('lasts as long as Retry-After says when throttled, however many failures there were, a day at most', () => {
    assert.equal(cooldownMs('throttled', 9, 1_500), 1_500);
    assert.equal(cooldownMs('throttled', 1, 0), 0);
    assert.equal(cooldownMs('throttled', 1, -5), 0);
    assert.equal(cooldownMs('throttled', 1, 60 * MINUTE), 60 * MINUTE);
    assert.equal(cooldownMs('throttled', 1, Number.POSITIVE_INFINITY), 24 * 60 * MINUTE);
  });

  it('does not believe a Retry-After that comes with a rejection', () => {
    assert.equal(cooldownMs('rejected', 1, 1), 30 * SECOND);
  });
});

describe('failures in a row', () => {
  it('count on from one cooldown to the next', () => {
    const first = after([0]);
    assert.deepEqual(first, { reason: 'rejected', failures: 1, since: 0, until: 30 * SECOND });
    const second = after([0], [31 * SECOND]);
    assert.deepEqual([second.failures, second.until], [2, 91 * SECOND]);
  });

  it('that a burst brings at once count as one', () => {
    const burst = Array.from({ length: 50 }, (_, i): [number, object] => [100 + i, { leasedAt: i }]);
    const record = after(...burst);
    assert.deepEqual([record.failures, record.since, record.until], [1, 100, 100 + 30 * SECOND]);
  });

  it('count as one also when another worker leased before it could hear of the cooldown', () => {
    const record = after([100], [130, { leasedAt: 103 }], [9_000, { leasedAt: 104 }]);
    assert.deepEqual([record.failures, record.until], [1, 100 + 30 * SECOND]);
  });

  it('count as one when the last of them comes long after the cooldown', () => {
    const record = after([100], [5 * MINUTE, { leasedAt: 50 }]);
    assert.deepEqual([record.failures, record.until], [1, 100 + 30 * SECOND]);
  });

  it('of which one is a rejection last as long as that, whichever came first', () => {
    const throttled = { reason: 'throttled', retryAfterMs: null, leasedAt: 0 } as const;
    for (const [first, second] of [
      [throttled, { leasedAt: 0 }],
      [{ leasedAt: 0 }, throttled],
    ]) {
      const record = after([100, first], [200, second]);
      assert.equal(record.reason, 'rejected');
      assert.equal(record.failures, 1);
      assert.ok(record.until >= 100 + 30 * SECOND, String(record.until));
    }
  });

  it('count anew when the attempt was leased after the cooldown, as a probe is', () => {
    assert.equal(after([100], [40 * SECOND, { leasedAt: 100 + 30 * SECOND }]).failures, 2);
  });
});

describe('a newer failure', () => {
  const throttled = (retryAfterMs: number | null, leasedAt?: number) => ({
    reason: 'throttled' as const,
    retryAfterMs,
    ...(leasedAt === undefined ? {} : { leasedAt }),
  });

  it('never shortens a cooldown', () => {
    const until = 60 * MINUTE;
    assert.equal(after([0, throttled(until)], [10, throttled(5, 0)]).until, until);
    assert.equal(after([0, throttled(until)], [10, throttled(null, 0)]).until, until);
    assert.equal(after([0, throttled(until)], [10, { leasedAt: 0 }]).until, until);
  });

  it('of the same burst lengthens it by its own Retry-After', () => {
    const record = after([0, throttled(SECOND)], [100, throttled(MINUTE, -1)]);
    assert.deepEqual([record.failures, record.since, record.until], [1, 0, 100 + MINUTE]);
  });

  it('never moves the end back, whatever comes in whatever order', () => {
    let state: CooldownRecord | undefined;
    let until = 0;
    for (let i = 0; i < 2_000; i += 1) {
      const reason = i % 3 === 0 ? 'rejected' : 'throttled';
      const retryAfterMs = i % 5 === 0 ? (i * 7_919) % 90_000 : null;
      state = afterFailure(
        state,
        failureOf('a', { reason, retryAfterMs, leasedAt: (i * 104_729) % 500_000 }),
        i * 250,
      );
      assert.ok(state.until >= until);
      until = state.until;
    }
  });
});
