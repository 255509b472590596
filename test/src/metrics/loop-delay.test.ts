import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fadedDelay } from '../../../src/metrics/loop-delay.ts';

it('a late loop counts at once, and is forgotten by half every 500 ms', () => {
  assert.equal(fadedDelay(0, 800, 900), 800);
  assert.equal(fadedDelay(800, 0, 500), 400);
  assert.equal(fadedDelay(400, 0, 1_000), 100);
  assert.equal(fadedDelay(800, 600, 500), 600);
});
