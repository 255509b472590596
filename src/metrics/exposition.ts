// Metrics as Prometheus reads them. prom-client is known only here: it writes the text; counting is ours, since it
// makes a text of the labels for every count. It is loaded with the first scrape: most services that start are never
// asked (a tenth of the primary's start, and megabytes).
import { type Definition, PREFIX } from './definition.ts';
import type { MetricReading, SeriesSums } from './sums.ts';

/** Prometheus's text format 0.0.4. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly metricName?: string;
}

/** The text of a scrape. */
export async function expose(readings: Iterable<MetricReading>): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  const metrics = [...readings].map(({ definition, series }) => ({
    name: `${PREFIX}${definition.name}`,
    help: definition.help,
    type: definition.kind,
    aggregator: 'sum',
    values: series.flatMap((one) => samplesOf(definition, one)),
  }));
  return AggregatorRegistry.aggregate([metrics]).metrics();
}

function samplesOf(definition: Definition, [values, figures]: SeriesSums): Sample[] {
  const labels = Object.fromEntries(definition.labels.map((label, place) => [label, values[place] ?? '']));
  if (definition.kind !== 'histogram') return [{ labels, value: figures[0] ?? 0 }];
  return histogramSamples(definition, labels, figures);
}

function histogramSamples(
  { name, buckets }: Definition,
  labels: Readonly<Record<string, string>>,
  figures: readonly number[],
): Sample[] {
  const metricName = `${PREFIX}${name}`;
  let count = 0;
  const counted = [...buckets.map(String), '+Inf'].map((le, bucket) => {
    count += figures[bucket] ?? 0;
    return { metricName: `${metricName}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...counted,
    { metricName: `${metricName}_sum`, labels, value: figures[buckets.length + 1] ?? 0 },
    { metricName: `${metricName}_count`, labels, value: count },
  ];
}
