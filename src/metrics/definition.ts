// What a metric is: its name, its kind, its labels, its help. Names follow Prometheus's conventions: base units, and
// `_total` for what only grows.

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** A metric, with each combination of its labels' values a series of its own. */
export interface Definition {
  /** Without the prefix. */
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, for a histogram; empty for others. */
  readonly buckets: readonly number[];
}

export const PREFIX = 'flow_proxy_';
/** Labels whose values clients or an operator make up; each gets a bound. */
export const OPEN_LABELS: ReadonlySet<string> = new Set(['model', 'credential', 'client']);
/** Stands for every value that a bound leaves no room for. */
export const OTHER = 'other';
/** Stands for no value. */
export const NONE = 'none';

export function counter(name: string, help: string, labels: readonly string[] = []): Definition {
  return { name, kind: 'counter', help, labels, buckets: [] };
}

export function gauge(name: string, help: string, labels: readonly string[] = []): Definition {
  return { name, kind: 'gauge', help, labels, buckets: [] };
}

export function histogram(
  name: string,
  help: string,
  labels: readonly string[],
  buckets: readonly number[],
): Definition {
  return { name, kind: 'histogram', help, labels, buckets };
}
