// What a count says to an operator: shares, percentiles, what came most first. The shape is what `--json` prints.
import type { Count } from './count.ts';
import type { Sums } from './sums.ts';
import type { SlowExchange } from './tally.ts';
import { percentile, type Times } from './times.ts';

/** One credential, model or client key. */
export interface NamedSums extends Sums {
  readonly name: string;
  /** Of all exchanges, in percent. */
  readonly share: number;
  /** Null like that of all. */
  readonly successRate: number | null;
}

/** In ms; null when there is nothing to tell. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Rates are percentages with one digit, null when there is nothing to divide by. */
export interface Report {
  readonly files: number;
  readonly bytes: number;
  /** ISO-8601, null without a line. */
  readonly from: string | null;
  readonly to: string | null;
  readonly lines: number;
  readonly brokenLines: number;
  readonly olderLines: number;
  readonly errorLines: number;
  /** Lines of level ERROR among all lines. */
  readonly errorRate: number | null;
  readonly exchanges: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly clientsGone: number;
  readonly answeredLocally: number;
  readonly failovers: number;
  /** Null also where no line is of level INFO: exchanges that succeed leave no other. */
  readonly successRate: number | null;
  readonly durationMs: Percentiles;
  readonly ttfbMs: Percentiles;
  readonly credentials: readonly NamedSums[];
  readonly models: readonly NamedSums[];
  readonly clients: readonly NamedSums[];
  readonly failures: readonly { readonly reason: string; readonly count: number }[];
  readonly slowest: readonly SlowExchange[];
  readonly problems: readonly string[];
}

export function summarise({ tally, sources, bytes, problems }: Count): Report {
  const { lines, brokenLines, olderLines, errorLines, exchanges, succeeded, failed } = tally;
  const rate = ({ exchanges: all, succeeded: part }: Pick<Sums, 'exchanges' | 'succeeded'>): number | null =>
    tally.quietLines === 0 ? null : percent(part, all);
  return {
    files: sources,
    bytes,
    from: tally.firstAt === '' ? null : tally.firstAt,
    to: tally.lastAt === '' ? null : tally.lastAt,
    lines,
    brokenLines,
    olderLines,
    errorLines,
    errorRate: percent(errorLines, lines),
    exchanges,
    succeeded,
    failed,
    clientsGone: tally.clientsGone,
    answeredLocally: tally.answeredLocally,
    failovers: tally.failovers,
    successRate: rate(tally),
    durationMs: percentiles(tally.durations),
    ttfbMs: percentiles(tally.firstBytes),
    credentials: ranked(tally.byCredential, exchanges, rate),
    models: ranked(tally.byModel, exchanges, rate),
    clients: ranked(tally.byClient, exchanges, rate),
    failures: [...tally.failures]
      .map(([reason, count]) => ({ reason, count }))
      .sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason)),
    slowest: tally.slowest,
    problems,
  };
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part * 1_000) / whole) / 10;
}

function percentiles(times: Times): Percentiles {
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), p99: percentile(times, 0.99) };
}

function ranked(
  named: ReadonlyMap<string, Sums>,
  exchanges: number,
  rate: (sums: Sums) => number | null,
): NamedSums[] {
  return [...named]
    .map(([name, sums]) => ({
      name,
      ...sums,
      share: percent(sums.exchanges, exchanges) ?? 0,
      successRate: rate(sums),
    }))
    .sort((a, b) => b.exchanges - a.exchanges || a.name.localeCompare(b.name));
}
