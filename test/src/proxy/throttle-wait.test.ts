import assert from 'node:assert/strict';
import { it } from 'node:test';
import { throttleWait } from '../../../src/proxy/throttle-wait.ts';

const NOW = 1_000_000;
const wait = (dueInMs: number | null, waitedMs = 0): number | null =>
  throttleWait({ retryAt: dueInMs === null ? null : NOW + dueInMs, waitedMs, mostMs: 3_000 }, NOW);

it('a request waits until the soonest credential is due', () => {
  assert.equal(wait(2_000), 2_000);
  assert.equal(wait(3_000), 3_000);
});

it('a credential that is due already is looked for again in a moment', () => {
  assert.equal(wait(0), 25);
  assert.equal(wait(-60_000), 25);
});

it('nobody waits for longer than is allowed in all, nor for what never comes', () => {
  assert.equal(wait(3_001), null);
  assert.equal(wait(2_000, 1_001), null);
  assert.equal(wait(0, 2_976), null);
  assert.equal(wait(null), null);
});
