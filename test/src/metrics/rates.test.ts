import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WORKER_METRICS } from '../../../src/metrics/catalogue.ts';
import { Family } from '../../../src/metrics/family.ts';
import { percentile } from '../../../src/metrics/percentile.ts';
import { historyOf, newFailures, ratesOf } from '../../../src/metrics/rates.ts';
import { type Sample, takeSample } from '../../../src/metrics/sample.ts';

/** Counters as a worker keeps them. */
class Counted {
  readonly requests = new Family(WORKER_METRICS.requests);
  readonly duration = new Family(WORKER_METRICS.duration);
  readonly streams = new Family(WORKER_METRICS.streamsOpen);

  end(credential: string, outcome: string, seconds: number, route = '/v1/messages', status = '2xx'): void {
    this.requests.at(route, status, 'anthropic', credential, outcome).add(1);
    this.duration.at(route).observe(seconds);
  }

  sample(at: number): Sample {
    const families = [this.requests, this.duration, this.streams];
    const readings = families.map(({ definition, series }) => ({
      definition,
      series: series.map(({ labels, figures }): [readonly string[], number[]] => [labels, [...figures]]),
    }));
    return takeSample(readings, at);
  }
}

describe('a percentile', () => {
  it('lies within its bucket, in proportion', () => {
    assert.equal(percentile([1, 2, 4], [0, 10, 0, 0], 0.5), 1.5);
    assert.equal(percentile([1, 2, 4], [5, 0, 5, 0], 0.9), 3.6);
    assert.equal(percentile([1, 2, 4], [0, 0, 4, 0], 1), 4);
  });

  it('is the highest bound for what lies above all, and null for nothing', () => {
    assert.equal(percentile([1, 2, 4], [0, 0, 0, 3], 0.5), 4);
    assert.equal(percentile([1, 2, 4], [0, 0, 0, 0], 0.5), null);
  });
});

describe('rates', () => {
  it('are differences over the last ten seconds, shares over two minutes', () => {
    const counted = new Counted();
    const samples = [counted.sample(0)];
    for (let request = 0; request < 30; request += 1) counted.end('a', 'completed', 0.02);
    samples.push(counted.sample(50_000));
    for (let request = 0; request < 8; request += 1) counted.end('b', 'completed', 0.02);
    counted.end('b', 'failed', 0.02, '/v1/messages', '5xx');
    counted.end('b', 'failed', 0.02, '/v1/messages', '5xx');
    counted.streams.at('/v1/messages').add(3);
    samples.push(counted.sample(60_000));
    const rates = ratesOf(samples);
    assert.deepEqual([rates?.requestsPerSecond, rates?.failuresPerSecond, rates?.streamsOpen], [1, 0.2, 3]);
    assert.deepEqual(rates?.credentials, [
      { name: 'a', requestsPerSecond: 0, share: 0.75 },
      { name: 'b', requestsPerSecond: 1, share: 0.25 },
    ]);
    assert.ok((rates?.duration?.p50 ?? 0) > 10 && (rates?.duration?.p99 ?? 0) <= 25, 'milliseconds');
    assert.deepEqual(
      historyOf(samples, 60_000).map(({ agoMs, requestsPerSecond }) => [agoMs, requestsPerSecond]),
      [
        [10_000, 0.6],
        [0, 1],
      ],
    );
  });

  it('are unknown before the second sample, and zero when nothing happens', () => {
    const counted = new Counted();
    assert.equal(ratesOf([counted.sample(0)]), null);
    const quiet = ratesOf([counted.sample(0), counted.sample(2_000)]);
    assert.deepEqual([quiet?.requestsPerSecond, quiet?.duration], [0, null]);
  });

  it('leave out what we answer ourselves', () => {
    const counted = new Counted();
    const before = counted.sample(0);
    counted.end('none', 'completed', 0.001, '/healthz');
    assert.equal(ratesOf([before, counted.sample(1_000)])?.requestsPerSecond, 0);
  });

  it('name what failed since the sample before', () => {
    const counted = new Counted();
    counted.end('a', 'failed', 1, '/v1/messages', '5xx');
    const before = counted.sample(0);
    counted.end('a', 'failed', 1, '/v1/messages', '5xx');
    counted.end('a', 'completed', 1);
    assert.deepEqual(newFailures(before, counted.sample(1)), [
      { kind: ['/v1/messages', '5xx', 'a'], count: 1 },
    ]);
    assert.deepEqual(newFailures(before, before), []);
  });
});
