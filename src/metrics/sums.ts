// What a worker has counted since its start, as it travels to the primary: always the whole of it, so that a message
// that is lost or late does no harm.
import type { Definition } from './definition.ts';
import type { Family } from './family.ts';

/** A series: its labels' values and its figures, see family.ts. */
export type SeriesSums = readonly [labels: readonly string[], figures: readonly number[]];

/** By name of the metric. */
export type MetricSums = Readonly<Record<string, readonly SeriesSums[]>>;

export function sumsOf(families: Iterable<Family>): MetricSums {
  const sums: Record<string, readonly SeriesSums[]> = {};
  for (const { definition, series } of families) {
    if (series.length > 0) sums[definition.name] = series.map(({ labels, figures }) => [labels, figures]);
  }
  return sums;
}

/** Definition and series of one metric, ready to be shown. */
export interface MetricReading {
  readonly definition: Definition;
  readonly series: readonly SeriesSums[];
}
