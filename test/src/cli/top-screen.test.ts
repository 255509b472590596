import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { drawTop, shareOut, sparkline } from '../../../src/cli/top-screen.ts';
import type { LiveStatus } from '../../../src/control/live.ts';
import { sampleStatus } from '../supervisor/systemd/sample-status.ts';

const AT = '2026-01-01T00:10:00.000Z';
const spread = { p50: 12, p90: 340, p99: 2_500 };

function live(changes: Partial<LiveStatus> = {}): LiveStatus {
  const [worker] = sampleStatus().workers;
  assert.ok(worker !== undefined);
  const cooldown = {
    model: 'gpt-4o',
    reason: 'throttled' as const,
    failures: 1,
    since: AT,
    until: '2026-01-01T00:10:30.000Z',
  };
  return {
    at: AT,
    service: sampleStatus({
      startedAt: '2026-01-01T00:00:00.000Z',
      workers: Array.from({ length: 16 }, (_, slot) => ({ ...worker, slot })),
      credentials: Array.from({ length: 12 }, (_, index) => ({
        name: `credential-with-a-name-of-some-length-${index}`,
        weight: 1,
        available: index !== 1,
        disabled: index === 1,
        cooldowns: index === 0 ? [cooldown] : [],
      })),
    }),
    rates: {
      requestsPerSecond: 12.5,
      failuresPerSecond: 0.25,
      duration: spread,
      firstByte: spread,
      overhead: spread,
      streamsOpen: 3,
      inputTokensPerSecond: 12_345,
      outputTokensPerSecond: 67,
      requestBytesPerSecond: 0,
      responseBytesPerSecond: 0,
      credentials: [{ name: 'credential-with-a-name-of-some-length-0', requestsPerSecond: 12.5, share: 1 }],
    },
    totals: { requests: 1_000, failures: 3 },
    history: Array.from({ length: 60 }, (_, index) => ({
      agoMs: index,
      requestsPerSecond: index,
      failuresPerSecond: 0,
    })),
    failures: [{ at: AT, count: 2, route: '/v1/messages', status: '5xx', credential: 'a' }],
    ...changes,
  };
}

const plain = (lines: readonly string[]): string[] => lines.map((line) => stripVTControlCharacters(line));

describe('the screen of top', () => {
  it('fits into any terminal, with a part of every table and the number of rows that are hidden', () => {
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [40, 12],
      [20, 4],
    ] as const) {
      const lines = plain(drawTop(live(), null, { columns, rows }));
      assert.equal(lines.length, rows);
      assert.ok(
        lines.every((line) => [...line].length <= columns),
        `${columns} × ${rows}`,
      );
    }
    const text = plain(drawTop(live(), null, { columns: 80, rows: 24 })).join('\n');
    for (const part of ['WORKER', 'CREDENTIAL', 'FAILED', 'q quits']) assert.ok(text.includes(part), part);
    assert.match(text, /\(\d+ more\)/);
  });

  it('tells rates, percentiles, cooldowns and who is disabled', () => {
    const text = plain(drawTop(live(), null, { columns: 160, rows: 60 })).join('\n');
    assert.match(text, /requests 13\/s {3}failures 2\.0 % {3}tokens\/s 12\.3k in, 67 out/);
    assert.match(text, /first byte 12ms\/340ms\/2\.5s/);
    assert.match(text, /length-0 +available +100 % +13 +throttled gpt-4o 30s/);
    assert.match(text, /length-1 +disabled/);
    assert.match(text, /5xx ×2 +\/v1\/messages +a/);
  });

  it('says why its figures are old', () => {
    const lines = plain(drawTop(live(), 'nothing is running', { columns: 80, rows: 24 }));
    assert.ok(lines.includes('nothing is running'));
  });

  it('gives each table its share of too little room', () => {
    assert.deepEqual(shareOut([2, 12, 16], 14), [2, 6, 6]);
    assert.deepEqual(shareOut([2, 3], 14), [2, 3]);
    assert.deepEqual(shareOut([5], -1), [0]);
  });

  it('draws one character for each figure, the latest at the right', () => {
    assert.equal(sparkline([0, 7, 3], 80), '▁█▄');
    assert.equal(sparkline([9, 0, 7], 2), '▁█');
    assert.equal(sparkline([0, 0], 80), '');
  });
});
