// What happened between two samples: rates as differences, percentiles from the histograms. Pure.
import { WORKER_METRICS, type WorkerMetric } from './catalogue.ts';
import { percentile } from './percentile.ts';
import type { Sample } from './sample.ts';

/** In milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface Rates {
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  /** null where nothing ended in the last two minutes. */
  readonly duration: Percentiles | null;
  readonly firstByte: Percentiles | null;
  readonly overhead: Percentiles | null;
  /** Event streams and WebSockets. */
  readonly streamsOpen: number;
  readonly inputTokensPerSecond: number;
  readonly outputTokensPerSecond: number;
  readonly requestBytesPerSecond: number;
  readonly responseBytesPerSecond: number;
  readonly credentials: readonly CredentialRates[];
}

export interface CredentialRates {
  readonly name: string;
  readonly requestsPerSecond: number;
  /** Of the requests of the last two minutes, 0 to 1. */
  readonly share: number;
}

/** One moment of the history. */
export interface RatePoint {
  /** Milliseconds before now. */
  readonly agoMs: number;
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
}

/** Rates are over the last samples within this time: long enough for a calm figure. */
const RATE_WINDOW_MS = 10_000;

/** @param samples oldest first; null when there are fewer than two */
export function ratesOf(samples: readonly Sample[]): Rates | null {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const recent = samples.find(({ at }) => at >= last.at - RATE_WINDOW_MS && at < last.at) ?? first;
  const per = (figure: (sample: Sample) => number): number => perSecond(recent, last, figure);
  const spread = (metric: WorkerMetric, counts: (sample: Sample) => readonly number[]): Percentiles | null =>
    percentilesOf(WORKER_METRICS[metric].buckets, difference(counts(first), counts(last)));
  return {
    requestsPerSecond: per(({ requests }) => requests),
    failuresPerSecond: per(({ failures }) => failures),
    duration: spread('duration', ({ duration }) => duration),
    firstByte: spread('firstByte', ({ firstByte }) => firstByte),
    overhead: spread('overhead', ({ overhead }) => overhead),
    streamsOpen: last.streamsOpen,
    inputTokensPerSecond: per(({ inputTokens }) => inputTokens),
    outputTokensPerSecond: per(({ outputTokens }) => outputTokens),
    requestBytesPerSecond: per(({ requestBytes }) => requestBytes),
    responseBytesPerSecond: per(({ responseBytes }) => responseBytes),
    credentials: credentialRates(first, recent, last),
  };
}

/** Rates between each sample and the next. */
export function historyOf(samples: readonly Sample[], now: number): RatePoint[] {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    return {
      agoMs: now - sample.at,
      requestsPerSecond: perSecond(before, sample, ({ requests }) => requests),
      failuresPerSecond: perSecond(before, sample, ({ failures }) => failures),
    };
  });
}

/** Failures that came between two samples: route, status, credential and how many. */
export function newFailures(before: Sample, after: Sample): { kind: readonly string[]; count: number }[] {
  return [...after.failuresByKind]
    .map(([kind, count]) => ({
      kind: kind.split('\n'),
      count: count - (before.failuresByKind.get(kind) ?? 0),
    }))
    .filter(({ count }) => count > 0);
}

function credentialRates(first: Sample, recent: Sample, last: Sample): CredentialRates[] {
  const names = [...last.requestsByCredential.keys()];
  const grown = (from: Sample, name: string): number =>
    (last.requestsByCredential.get(name) ?? 0) - (from.requestsByCredential.get(name) ?? 0);
  const all = names.reduce((sum, name) => sum + grown(first, name), 0);
  return names.map((name) => ({
    name,
    requestsPerSecond: perSecond(recent, last, (sample) => sample.requestsByCredential.get(name) ?? 0),
    share: all === 0 ? 0 : grown(first, name) / all,
  }));
}

function perSecond(before: Sample, after: Sample, figure: (sample: Sample) => number): number {
  const seconds = (after.at - before.at) / 1000;
  return seconds <= 0 ? 0 : Math.max(0, figure(after) - figure(before)) / seconds;
}

function difference(before: readonly number[], after: readonly number[]): number[] {
  return after.map((count, index) => count - (before[index] ?? 0));
}

function percentilesOf(bounds: readonly number[], counts: readonly number[]): Percentiles | null {
  const at = (share: number): number | null => percentile(bounds, counts, share);
  const [p50, p90, p99] = [at(0.5), at(0.9), at(0.99)];
  if (p50 === null || p90 === null || p99 === null) return null;
  return { p50: p50 * 1000, p90: p90 * 1000, p99: p99 * 1000 };
}
