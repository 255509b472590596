import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecentFailures } from '../../../src/control/live.ts';
import { withFailures } from '../../../src/supervisor/live-watch.ts';

const failed = (minute: number, part: Partial<RecentFailures> = {}): RecentFailures => ({
  at: new Date(minute * 60_000).toISOString(),
  count: 1,
  route: '/v1/messages',
  status: '5xx',
  credential: 'a',
  ...part,
});

describe('recent failures', () => {
  it('that are alike and follow each other within a minute are one entry', () => {
    const entries = [failed(0), failed(0.5), failed(1)].reduce<readonly RecentFailures[]>(withFailures, []);
    assert.deepEqual(entries, [failed(1, { count: 3 })]);
  });

  it('that differ, or come later, are entries of their own, the latest first', () => {
    const all = [failed(0), failed(0, { credential: 'b' }), failed(2)];
    const entries = all.reduce<readonly RecentFailures[]>(withFailures, []);
    assert.deepEqual(
      entries.map(({ at, credential }) => [Date.parse(at), credential]),
      [
        [120_000, 'a'],
        [0, 'b'],
        [0, 'a'],
      ],
    );
  });

  it('are forgotten beyond twenty', () => {
    const all = Array.from({ length: 30 }, (_, index) => failed(index, { route: `/v1/${index}` }));
    assert.equal(all.reduce<readonly RecentFailures[]>(withFailures, []).length, 20);
  });
});
