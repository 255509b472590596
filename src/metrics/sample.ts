// The few sums that rates are made of, taken from all metrics at one moment. Pure. What we answer by ourselves, such as
// the questions of a load balancer, is no traffic and left out.
import { WORKER_METRICS, type WorkerMetric } from './catalogue.ts';
import type { MetricReading, SeriesSums } from './sums.ts';

export interface Sample {
  /** Milliseconds; of the clock that the taker uses. */
  readonly at: number;
  readonly requests: number;
  readonly failures: number;
  readonly requestsByCredential: ReadonlyMap<string, number>;
  /** By route, status and credential, joined by a line break. */
  readonly failuresByKind: ReadonlyMap<string, number>;
  /** Counts of the buckets, then of what lies above all of them. */
  readonly duration: readonly number[];
  readonly firstByte: readonly number[];
  readonly overhead: readonly number[];
  readonly streamsOpen: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

const LOCAL_ROUTES: ReadonlySet<string> = new Set(['/', '/health', '/healthz', '/readyz']);

export function takeSample(readings: readonly MetricReading[], at: number): Sample {
  const seriesOf = (metric: WorkerMetric): readonly SeriesSums[] => {
    const { name, labels } = WORKER_METRICS[metric];
    const route = labels.indexOf('route');
    const all = readings.find(({ definition }) => definition.name === name)?.series ?? [];
    return all.filter(([values]) => !LOCAL_ROUTES.has(values[route] ?? ''));
  };
  const sumOf = (metric: WorkerMetric): number =>
    seriesOf(metric).reduce((sum, [, [value = 0]]) => sum + value, 0);
  return {
    at,
    ...countRequests(seriesOf('requests')),
    duration: countBuckets(seriesOf('duration')),
    firstByte: countBuckets(seriesOf('firstByte')),
    overhead: countBuckets(seriesOf('overhead')),
    streamsOpen: sumOf('streamsOpen'),
    inputTokens: sumOf('inputTokens'),
    outputTokens: sumOf('outputTokens'),
    requestBytes: sumOf('requestBytes'),
    responseBytes: sumOf('responseBytes'),
  };
}

type Requests = Pick<Sample, 'requests' | 'failures' | 'requestsByCredential' | 'failuresByKind'>;

function countRequests(all: readonly SeriesSums[]): Requests {
  const { labels } = WORKER_METRICS.requests;
  const [route, status, credential, outcome] = ['route', 'status', 'credential', 'outcome'].map((label) =>
    labels.indexOf(label),
  );
  let requests = 0;
  let failures = 0;
  const requestsByCredential = new Map<string, number>();
  const failuresByKind = new Map<string, number>();
  for (const [values, [count = 0]] of all) {
    const value = (place = -1): string => values[place] ?? '';
    requests += count;
    add(requestsByCredential, value(credential), count);
    if (value(outcome) !== 'failed') continue;
    failures += count;
    add(failuresByKind, [value(route), value(status), value(credential)].join('\n'), count);
  }
  return { requests, failures, requestsByCredential, failuresByKind };
}

/** Of all routes together; the last figure of a histogram is the sum of what was observed. */
function countBuckets(all: readonly SeriesSums[]): number[] {
  const counts: number[] = [];
  for (const [, figures] of all) {
    for (const [index, figure] of figures.slice(0, -1).entries()) {
      counts[index] = (counts[index] ?? 0) + figure;
    }
  }
  return counts;
}

function add(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
