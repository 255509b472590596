import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { Pool } from '../../../src/credentials/pool.ts';
import { Leases } from '../../../src/proxy/leases.ts';
import { pooled, snapshotOf, suspension, wanting } from '../credentials/sample-pool.ts';

const UNTIL = 60_000;

/** Leases from one credential that is throttled until a minute after zero, and what the primary is told. */
function throttled(t: TestContext, now: number): { readonly leases: Leases; readonly told: string[] } {
  t.mock.timers.enable({ apis: ['Date'], now });
  const told: string[] = [];
  const pool = new Pool(0, 0);
  pool.apply(snapshotOf(1, pooled('a', { suspensions: [suspension({ until: UNTIL })] })), 0);
  const leases = new Leases(pool, {
    failed: () => told.push('failed'),
    probeWanted: () => void told.push('probeWanted'),
    probeStarted: () => void told.push('probeStarted'),
    probeEnded: () => void told.push('probeEnded'),
  });
  return { leases, told };
}

it('a request that waits for leave to probe is told to the primary, a few times a second at most', (t) => {
  const { leases, told } = throttled(t, UNTIL);
  for (let step = 0; step < 30; step += 1) {
    leases.take(wanting());
    t.mock.timers.tick(25);
  }
  assert.deepEqual(told, ['probeWanted', 'probeWanted', 'probeWanted']);
});

it('one that waits for the end of a cooldown is not', (t) => {
  const { leases, told } = throttled(t, UNTIL - 1);
  leases.take(wanting());
  assert.deepEqual(told, []);
});
