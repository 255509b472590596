import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '../../ops/bench/bench.ts';
import { loadTable, ratio, ratioByRound, verdictOf } from '../../ops/bench/ratios.ts';

const figures = (requestsPerSecond: number, isLoadBound: boolean): Figures => {
  const round = { requests: 1, failed: 0, cpuPerRequest: 50, requestsPerSecond, isLoadBound };
  return { ...round, rounds: [round] };
};

test('a rate that the load side bounded is refused, and so is every ratio with it', () => {
  const all = new Map([
    ['flow-proxy', figures(20_000, false)],
    ['nginx', figures(38_000, true)],
  ]);
  const rates = loadTable(all, []).lines.map(([, rate]) => rate);
  assert.deepEqual(rates, ['20000', 'refused: load side full']);
  const value = ratio(all, 'requestsPerSecond', 'flow-proxy', 'nginx');
  assert.equal(verdictOf({ what: 'Rate', value, must: 1, sense: 'atLeast' }), 'Rate: not measured here');
  assert.equal(ratio(all, 'cpuPerRequest', 'flow-proxy', 'nginx'), 1);
});

test('a ratio is the median of what it came to in each round, not that of two medians', () => {
  assert.equal(ratioByRound([10, 40, 30], [20, 50, 100]), 0.5);
});
