import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lease } from '../../../src/credentials/pool.ts';
import { Pool } from '../../../src/credentials/pool.ts';
import type { PooledCredential, Suspension } from '../../../src/credentials/snapshot.ts';
import {
  leased,
  MINUTE,
  names,
  pooled,
  refused,
  snapshotOf,
  suspension,
  tally,
  wanting,
} from './sample-pool.ts';

function poolOf(...credentials: PooledCredential[]): Pool {
  const pool = new Pool(0, 0);
  pool.apply(snapshotOf(1, ...credentials), 0);
  return pool;
}

const out = (id: string, ...parts: Partial<Suspension>[]): PooledCredential =>
  pooled(id, { suspensions: parts.map(suspension) });

describe('a cooled credential', () => {
  it('is not leased while it is cooled, nor after that without a grant to probe it', () => {
    const pool = poolOf(out('a', {}), pooled('b'));
    for (const now of [0, MINUTE - 1, MINUTE, MINUTE * 99]) {
      assert.deepEqual(tally(names(pool, 5, wanting(), now)), { b: 5 });
    }
  });

  it('is leased for every other model when it is cooled for one', () => {
    const pool = poolOf(out('a', { model: 'm' }), pooled('b'));
    assert.deepEqual(tally(names(pool, 4, wanting({ model: 'm' }))), { b: 4 });
    assert.deepEqual(tally(names(pool, 4, wanting({ model: 'n' }))), { a: 2, b: 2 });
    assert.deepEqual(tally(names(pool, 4, wanting())), { a: 2, b: 2 });
  });

  it('is leased for no model when it is cooled for all', () => {
    const pool = poolOf(out('a', {}), pooled('b'));
    assert.deepEqual(tally(names(pool, 4, wanting({ model: 'm' }))), { b: 4 });
  });

  it('loses its conversations only while it is out, and moves nobody else', () => {
    const keys = Array.from({ length: 300 }, (_, i) => `session-${i}`);
    const homes = (pool: Pool): string[] =>
      keys.map((affinityKey) => leased(pool.lease(wanting({ affinityKey }), 0)).name);
    const whole = [pooled('a'), pooled('b'), pooled('c')];
    const pool = poolOf(...whole);
    const before = homes(pool);
    pool.apply(snapshotOf(2, pooled('a'), out('b', {}), pooled('c')), 0);
    const during = homes(pool);
    during.forEach((home, i) => {
      if (before[i] === 'b') assert.notEqual(home, 'b');
      else assert.equal(home, before[i]);
    });
    pool.apply(snapshotOf(3, ...whole), 0);
    assert.deepEqual(homes(pool), before);
  });

  it('does not count as available', () => {
    const pool = poolOf(out('a', {}), out('b', { model: 'm' }), pooled('c'));
    assert.deepEqual([pool.countAvailable(0), pool.size], [2, 3]);
  });
});

describe('when nothing can be leased', () => {
  it('and all are throttled, the answer is when the soonest of them is back', () => {
    const pool = poolOf(out('a', { until: 900 }), out('b', { until: 300 }, { model: 'm', until: 700 }));
    assert.deepEqual(refused(pool.lease(wanting(), 0)), { retryAt: 300 });
    assert.deepEqual(refused(pool.lease(wanting({ model: 'm' }), 0)), { retryAt: 700 });
  });

  it('and the soonest waits for its probe, that is now', () => {
    assert.deepEqual(refused(poolOf(out('a', { until: 300 })).lease(wanting(), 400)), { retryAt: 400 });
  });

  it('and some are rejected, only the throttled ones give the time', () => {
    const pool = poolOf(out('a', { reason: 'rejected', until: 100 }), out('b', { until: 300 }));
    assert.deepEqual(refused(pool.lease(wanting(), 0)), { retryAt: 300 });
  });

  it('because the exchange has tried them all, no wait would help it, throttled or not', () => {
    const pool = poolOf(out('a', { until: 300 }), out('b', { until: 900 }));
    const tried = (...ids: string[]) => wanting({ excluded: ids });
    assert.deepEqual(refused(pool.lease(tried('a'), 0)), { retryAt: 900 });
    assert.deepEqual(refused(pool.lease(tried('a', 'b'), 0)), { retryAt: null });
    assert.deepEqual(
      [wanting(), tried('a'), tried('a', 'b')].map((request) => pool.availableAt(request, 0)),
      [300, 900, null],
    );
  });

  it('is what asking beforehand tells, without a turn of the rotation', () => {
    const pool = poolOf(out('a', { until: 300 }), pooled('b'), pooled('c'));
    for (let i = 0; i < 9; i += 1) assert.equal(pool.availableAt(wanting(), 7), 7);
    assert.deepEqual(names(pool, 4), ['b', 'c', 'b', 'c']);
  });

  it('because all are rejected, the one that is due soonest is used all the same', () => {
    const pool = poolOf(
      out('a', { reason: 'rejected', until: 900 }),
      out('b', { reason: 'rejected', until: 300 }),
    );
    const lease = leased(pool.lease(wanting(), 0));
    assert.deepEqual([lease.name, lease.probeOf], ['b', null]);
    const again = wanting({ excluded: ['b'] });
    assert.deepEqual(refused(pool.lease(again, 0)), { retryAt: null }, 'but once in an exchange only');
  });
});

describe('what this worker saw fail', () => {
  const failing = (pool: Pool, name: string, model: string | null = null): Lease =>
    leased(pool.lease(wanting({ model, excluded: ['a', 'b', 'c'].filter((id) => id !== name) }), 0));

  it('is avoided at once, until a snapshot acknowledges the report', () => {
    const pool = poolOf(pooled('a'), pooled('b'));
    pool.avoid(failing(pool, 'a'), 'rejected', 5_000, 1, 0);
    assert.deepEqual(tally(names(pool, 4)), { b: 4 });
    pool.apply(snapshotOf(2, pooled('a'), pooled('b')), 0);
    assert.deepEqual(tally(names(pool, 4)), { b: 4 }, 'this snapshot was on its way before the report');
    pool.apply(snapshotOf(3, pooled('a'), pooled('b')), 1);
    assert.deepEqual(tally(names(pool, 4)), { a: 2, b: 2 });
  });

  it('is avoided until the last of several reports is acknowledged', () => {
    const pool = poolOf(pooled('a'), pooled('b'));
    const lease = failing(pool, 'a');
    pool.avoid(lease, 'throttled', 5_000, 1, 0);
    pool.avoid(lease, 'throttled', 5_000, 2, 0);
    pool.apply(snapshotOf(2, pooled('a'), pooled('b')), 1);
    assert.deepEqual(tally(names(pool, 4)), { b: 4 });
  });

  it('is avoided no longer than its time when the primary never answers', () => {
    const pool = poolOf(pooled('a'), pooled('b'));
    pool.avoid(failing(pool, 'a'), 'rejected', 5_000, 1, 0);
    assert.deepEqual(tally(names(pool, 4, wanting(), 5_000)), { a: 2, b: 2 });
  });

  it('is avoided for its model only when it was throttled for one, for all when it was rejected', () => {
    const pool = poolOf(pooled('a'), pooled('b'), pooled('c'));
    pool.avoid(failing(pool, 'a', 'm'), 'throttled', 5_000, 1, 0);
    pool.avoid(failing(pool, 'b', 'm'), 'rejected', 5_000, 2, 0);
    assert.deepEqual(tally(names(pool, 6, wanting({ model: 'm' }))), { c: 6 });
    assert.deepEqual(tally(names(pool, 6, wanting({ model: 'n' }))), { a: 3, c: 3 });
  });

  it('stays in use when it is the last one and was rejected, not when it was throttled', () => {
    const pool = poolOf(pooled('a'), out('b', {}));
    pool.avoid(failing(pool, 'a'), 'rejected', 5_000, 1, 0);
    assert.deepEqual(names(pool, 2), ['a', 'a']);
    pool.avoid(failing(pool, 'a'), 'throttled', 5_000, 2, 0);
    assert.deepEqual(refused(pool.lease(wanting(), 0)), { retryAt: 5_000 });
  });
});
