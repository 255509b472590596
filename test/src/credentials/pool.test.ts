import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pool } from '../../../src/credentials/pool.ts';
import type { PooledCredential } from '../../../src/credentials/snapshot.ts';
import { leased, names, pooled, refused, snapshotOf, tally, wanting } from './sample-pool.ts';

const abc = [pooled('a'), pooled('b'), pooled('c')];

function poolOf(slot: number, ...credentials: PooledCredential[]): Pool {
  const pool = new Pool(slot, slot);
  pool.apply(snapshotOf(1, ...credentials), 0);
  return pool;
}

describe('one worker', () => {
  it('takes equal credentials exactly in turn', () => {
    assert.deepEqual(names(poolOf(0, ...abc), 7), ['a', 'b', 'c', 'a', 'b', 'c', 'a']);
  });

  it('interleaves by weight as smooth weighted round-robin does, not in runs', () => {
    const pool = poolOf(0, pooled('a', { weight: 5 }), pooled('b'), pooled('c'));
    assert.equal(names(pool, 14).join(''), 'aabacaaaabacaa');
  });

  it('keeps to the weights exactly over a whole turn, also to fractions', () => {
    const pool = poolOf(0, pooled('a', { weight: 0.5 }), pooled('b', { weight: 2 }), pooled('c'));
    assert.deepEqual(tally(names(pool, 700)), { a: 100, b: 400, c: 200 });
  });

  it('leases the token as the value of an Authorization header, and says what was leased', () => {
    const lease = leased(poolOf(0, pooled('a')).lease(wanting({ model: 'm' }), 42));
    assert.deepEqual(lease, {
      credentialId: 'a',
      name: 'a',
      authorization: 'Bearer token-of-a',
      model: 'm',
      leasedAt: 42,
      probeOf: null,
    });
  });

  it('passes over what the exchange has tried, and refuses when that is all', () => {
    const pool = poolOf(0, ...abc);
    assert.deepEqual(names(pool, 4, wanting({ excluded: ['b'] })), ['a', 'c', 'a', 'c']);
    const all = wanting({ excluded: ['a', 'b', 'c'] });
    assert.deepEqual(refused(pool.lease(all, 0)), { retryAt: null });
  });

  it('keeps a conversation on its credential without disturbing the rotation of the others', () => {
    const pool = poolOf(0, ...abc);
    const mine = names(pool, 50, wanting({ affinityKey: 'session-1' }));
    assert.equal(new Set(mine).size, 1);
    assert.deepEqual(names(pool, 3), ['a', 'b', 'c']);
  });

  it('moves a conversation while its credential is excluded, and back afterwards', () => {
    const pool = poolOf(0, ...abc);
    const home = leased(pool.lease(wanting({ affinityKey: 'k' }), 0)).name;
    const away = leased(pool.lease(wanting({ affinityKey: 'k', excluded: [home] }), 0)).name;
    assert.notEqual(away, home);
    assert.equal(leased(pool.lease(wanting({ affinityKey: 'k' }), 0)).name, home);
  });

  it('has nothing to lease before the first snapshot, nor from an empty one', () => {
    const pool = new Pool(3, 3);
    assert.deepEqual(refused(pool.lease(wanting(), 0)), { retryAt: null });
    pool.apply(snapshotOf(1), 0);
    assert.deepEqual(refused(pool.lease(wanting(), 0)), { retryAt: null });
    assert.deepEqual([pool.size, pool.countAvailable(0)], [0, 0]);
  });
});

describe('several workers', () => {
  for (const workers of [2, 4]) {
    it(`${workers} of them spread any 1,000 requests over 3 equal credentials, 333 ± 5 each`, () => {
      const pools = Array.from({ length: workers }, (_, slot) => poolOf(slot, ...abc));
      for (const share of [1, 3, 1000]) {
        // Every worker gets its requests in runs of this length, as from few keep-alive connections.
        const turns = Array.from({ length: 1000 }, (_, i) => pools[Math.floor(i / share) % workers]);
        const counts = tally(turns.flatMap((pool) => (pool === undefined ? [] : names(pool, 1))));
        for (const { name } of abc) {
          const count = counts[name] ?? 0;
          assert.ok(Math.abs(count - 1000 / 3) <= 5, `runs of ${share}: ${name} has ${count}`);
        }
      }
    });
  }

  it('begin with different credentials, so that a few requests to each do not all meet the first one', () => {
    const first = [0, 1, 2, 3].map((slot) => names(poolOf(slot, ...abc), 1)[0]);
    assert.deepEqual(first, ['a', 'b', 'c', 'a']);
  });
});

describe('a snapshot', () => {
  it('with refreshed tokens goes on where the rotation stood', () => {
    const pool = poolOf(0, ...abc);
    assert.deepEqual(names(pool, 2), ['a', 'b']);
    pool.apply(snapshotOf(2, ...abc.map((one) => ({ ...one, token: 'fresh' }))), 0);
    const lease = leased(pool.lease(wanting(), 0));
    assert.deepEqual([lease.name, lease.authorization], ['c', 'Bearer fresh']);
  });

  it('keeps 1,000 requests even although one comes after each of them', () => {
    const pool = poolOf(0, ...abc);
    const list = Array.from({ length: 999 }, (_, i) => {
      pool.apply(snapshotOf(i + 2, ...abc), 0);
      return names(pool, 1)[0] ?? '';
    });
    assert.deepEqual(tally(list), { a: 333, b: 333, c: 333 });
  });

  it('that is older than the present one, or the same, changes nothing', () => {
    const pool = poolOf(0, ...abc);
    pool.apply(snapshotOf(7, pooled('new')), 0);
    pool.apply(snapshotOf(6, ...abc), 99);
    pool.apply(snapshotOf(7, ...abc), 99);
    assert.deepEqual([pool.version, pool.size, names(pool, 1)], [7, 1, ['new']]);
  });

  it('adds and removes credentials for the very next lease', () => {
    const pool = poolOf(0, pooled('a'), pooled('b'));
    pool.apply(snapshotOf(2, pooled('b'), pooled('d')), 0);
    assert.deepEqual(tally(names(pool, 10)), { b: 5, d: 5 });
  });
});
