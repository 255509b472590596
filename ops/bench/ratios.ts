// How figures are told: rounded, as ratios of one run, and against what was asked for.
import type { Figures, Table } from './bench.ts';
import { median } from './median.ts';

export function rounded(value: number, digits = 0): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

/** What a ratio must be and should be. */
export interface Target {
  readonly what: string;
  readonly value: number;
  readonly must: number;
  /** Undefined when there is none beyond the first. */
  readonly aim?: number;
  readonly sense: 'atMost' | 'atLeast';
  readonly unit?: string;
  readonly digits?: number;
}

/** One sentence: the figure, what was asked for, and whether that was reached. */
export function verdictOf({ what, value, must, aim, sense, unit = '', digits = 2 }: Target): string {
  const holds = (limit: number): boolean => (sense === 'atMost' ? value <= limit : value >= limit);
  const sign = sense === 'atMost' ? '≤' : '≥';
  const told = (limit: number, name: string): string =>
    `${name} ${sign} ${limit}${unit}: ${holds(limit) ? 'reached' : '**not reached**'}`;
  if (!Number.isFinite(value)) return `${what}: not measured here`;
  const limits = [told(must, 'must'), ...(aim === undefined ? [] : [told(aim, 'aim')])];
  return `${what}: ${rounded(value, digits)}${unit} (${limits.join('; ')})`;
}

/** The usual table of a closed loop. */
export function loadTable(figures: ReadonlyMap<string, Figures>, verdicts: readonly string[]): Table {
  const times = (name: string, other: string): string =>
    rounded(ratio(figures, 'cpuPerRequest', name, other), 2);
  const lines = [...figures].map(([name, { cpuPerRequest, requestsPerSecond, isLoadBound }]) => [
    name,
    isLoadBound ? 'refused: load side full' : rounded(requestsPerSecond),
    rounded(cpuPerRequest),
    times(name, 'nginx'),
    times(name, 'bare http-proxy'),
  ]);
  return {
    head: ['subject', 'requests/s', 'CPU µs/request', '× nginx', '× bare http-proxy'],
    lines,
    verdicts,
  };
}

/**
 * Of one figure of two subjects: the median of what it came to in each round, since the machine's pace changes within a
 * run, and the subjects of a round were measured within seconds.
 */
export function ratio(
  figures: ReadonlyMap<string, Figures>,
  figure: 'cpuPerRequest' | 'requestsPerSecond',
  name: string,
  other: string,
): number {
  const [own, others] = [figures.get(name), figures.get(other)];
  if (own === undefined || others === undefined) return Number.NaN;
  if (figure === 'requestsPerSecond' && (own.isLoadBound || others.isLoadBound)) return Number.NaN;
  return ratioByRound(
    own.rounds.map((round) => round[figure]),
    others.rounds.map((round) => round[figure]),
  );
}

/** The median of what one came to, measured in the other, in each round; as `ratio`. */
export function ratioByRound(own: readonly number[], others: readonly number[]): number {
  return median(own.map((value, index) => value / (others[index] ?? Number.NaN)));
}
