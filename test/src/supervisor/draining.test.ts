import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { surplusGenerations } from '../../../src/supervisor/draining.ts';
import { type Grown, largestGrown } from '../../../src/supervisor/memory-watch.ts';

describe('generations that drain', () => {
  it('are cut off oldest first when there are more than the limit, whatever their number of workers', () => {
    assert.deepEqual(surplusGenerations([4, 2, 2, 3], 2), [2]);
    assert.deepEqual(surplusGenerations([4, 2, 2, 3], 3), []);
    assert.deepEqual(surplusGenerations([11, 9, 10], 1), [9, 10]);
  });
});

describe('the worker to be replaced for its memory', () => {
  const limits = { softBytes: 100, hardBytes: 200, heapBytes: 100 };
  const grown = (rssBytes: number, startedAt: number, stage: Grown['stage'] = 'ready'): Grown => ({
    rssBytes,
    startedAt,
    stage,
  });

  it('is the largest of those over the soft limit', () => {
    const [small, large, other] = [grown(101, 0), grown(150, 0), grown(120, 0)];
    assert.equal(largestGrown([small, large, other], limits, 10, 1_000), large);
    assert.equal(largestGrown([grown(100, 0)], limits, 10, 1_000), undefined);
  });

  it('is none that is younger than the least lifetime, and none that boots or drains', () => {
    assert.equal(largestGrown([grown(150, 991)], limits, 10, 1_000), undefined);
    assert.notEqual(largestGrown([grown(150, 990)], limits, 10, 1_000), undefined);
    const others = [grown(150, 0, 'booting'), grown(150, 0, 'draining')];
    assert.equal(largestGrown(others, limits, 10, 1_000), undefined);
  });
});
