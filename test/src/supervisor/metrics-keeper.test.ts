import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WORKER_METRICS } from '../../../src/metrics/catalogue.ts';
import type { MetricSums } from '../../../src/metrics/sums.ts';
import { MetricsKeeper, restartReason } from '../../../src/supervisor/metrics-keeper.ts';

const requests = (count: number): MetricSums => ({
  attempts_total: [[['team-a', '2xx'], [count]]],
  streams_open: [[['/v1/messages'], [1]]],
  overhead_seconds: [[['/v1/messages'], [count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.25]]],
});

function figures(keeper: MetricsKeeper, name: string, now: number): readonly number[] {
  const reading = keeper.read(now).find(({ definition }) => definition.name === name);
  return reading?.series[0]?.[1] ?? [];
}

describe('What the workers have counted', () => {
  test('is added up over all of them', () => {
    const keeper = new MetricsKeeper();
    for (const worker of [1, 2]) {
      keeper.onWorkerForked(worker);
      keeper.onSums(worker, requests(worker));
    }
    assert.deepEqual(figures(keeper, 'attempts_total', 0), [3]);
    assert.deepEqual(figures(keeper, 'streams_open', 0), [2]);
    assert.deepEqual(figures(keeper, 'overhead_seconds', 0).slice(0, 1), [3]);
  });

  test('is not counted twice when the same sums come again', () => {
    const keeper = new MetricsKeeper();
    keeper.onWorkerForked(1);
    for (const count of [4, 4, 6]) keeper.onSums(1, requests(count));
    assert.deepEqual(figures(keeper, 'attempts_total', 0), [6]);
    assert.deepEqual(figures(keeper, 'attempts_total', 1), [6]);
  });

  test('stays when a worker is gone, also what is heard of it right after its end', () => {
    const keeper = new MetricsKeeper();
    keeper.onWorkerForked(1);
    keeper.onSums(1, requests(4));
    keeper.onWorkerGone(1, 1_000);
    keeper.onSums(1, requests(5));
    assert.deepEqual(figures(keeper, 'attempts_total', 2_000), [5]);
    assert.deepEqual(figures(keeper, 'attempts_total', 60_000), [5]);
    keeper.onSums(1, requests(9));
    assert.deepEqual(figures(keeper, 'attempts_total', 61_000), [5]);
    keeper.onWorkerForked(2);
    keeper.onSums(2, requests(1));
    assert.deepEqual(figures(keeper, 'attempts_total', 62_000), [6]);
    assert.deepEqual(figures(keeper, 'overhead_seconds', 62_000).at(-1), 0.5);
    assert.equal(keeper.total(WORKER_METRICS.attempts), 6);
  });

  test('is no more where it was open in a worker that is gone', () => {
    const keeper = new MetricsKeeper();
    keeper.onWorkerForked(1);
    keeper.onSums(1, requests(1));
    keeper.onWorkerGone(1, 1_000);
    assert.deepEqual(figures(keeper, 'streams_open', 1_001), []);
    assert.deepEqual(figures(keeper, 'streams_open', 60_000), []);
  });

  test('keeps its bounds over any number of workers, each of which brought other models', () => {
    const keeper = new MetricsKeeper();
    for (let worker = 1; worker <= 50; worker += 1) {
      keeper.onWorkerForked(worker);
      const series = Array.from(
        { length: 50 },
        (_, model) => [[`${worker}-${model}`, 'team-a', 'none'], [1]] as const,
      );
      keeper.onSums(worker, { input_tokens_total: series });
      keeper.onWorkerGone(worker, worker * 10_000);
      keeper.read(worker * 10_000 + 9_000);
    }
    const reading = keeper.read(1e9).find(({ definition }) => definition.name === 'input_tokens_total');
    assert.equal(reading?.series.length, 101);
    assert.equal(
      reading?.series.reduce((sum, [, [count = 0]]) => sum + count, 0),
      2_500,
    );
  });
});

describe('Why a worker was replaced', () => {
  test('is one of a few words', () => {
    assert.equal(restartReason(null, 'exit code 0'), 'reload');
    assert.equal(restartReason(null, 'exit code 1'), 'fault');
    assert.equal(restartReason(null, 'SIGKILL'), 'signal');
    assert.equal(restartReason('SIGKILL after 15 s of silence', 'SIGKILL after 15 s of silence'), 'killed');
  });
});
