// Watches the sums of the workers so that rates can be told at any time: a sample every two seconds, two minutes of
// them. Who is told is the admin listener's and the control socket's.
import { setTimeout as pause } from 'node:timers/promises';
import type { LiveStatus, RecentFailures } from '../control/live.ts';
import type { ServiceStatus } from '../control/status.ts';
import { historyOf, newFailures, ratesOf } from '../metrics/rates.ts';
import { type Sample, takeSample } from '../metrics/sample.ts';
import type { MetricReading } from '../metrics/sums.ts';

export interface LiveSources {
  readonly status: () => ServiceStatus;
  readonly metrics: () => readonly MetricReading[];
  /** Somebody wants the figures of the machine: resolves when they are fresh. */
  readonly refreshHost: () => Promise<void>;
}

/** Heartbeats bring new sums every second. */
export const SAMPLE_EVERY_MS = 2_000;
/** Two minutes. */
const SAMPLES_KEPT = 61;
const HOST_MS = 2_000;
const FAILURES_KEPT = 20;
/** Failures of the same kind are one entry when they follow each other within this time. */
const TOGETHER_MS = 60_000;

export class LiveWatch {
  readonly #sources: LiveSources;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #failures: readonly RecentFailures[] = [];

  constructor(sources: LiveSources, everyMs: number = SAMPLE_EVERY_MS) {
    this.#sources = sources;
    this.#take();
    this.#timer = setInterval(() => this.#take(), everyMs).unref();
  }

  /** For whoever asks only once: with the figures of the machine, unless they take too long. */
  async wholeReport(): Promise<LiveStatus> {
    await Promise.race([this.#sources.refreshHost(), pause(HOST_MS, undefined, { ref: false })]);
    return this.report();
  }

  report(): LiveStatus {
    const last = this.#samples.at(-1);
    void this.#sources.refreshHost();
    return {
      at: new Date().toISOString(),
      service: this.#sources.status(),
      rates: ratesOf(this.#samples),
      totals: { requests: last?.requests ?? 0, failures: last?.failures ?? 0 },
      history: historyOf(this.#samples, performance.now()),
      failures: this.#failures,
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #take(): void {
    const sample = takeSample(this.#sources.metrics(), performance.now());
    const before = this.#samples.at(-1);
    this.#samples = [...this.#samples, sample].slice(-SAMPLES_KEPT);
    if (before !== undefined) this.#remember(before, sample);
  }

  #remember(before: Sample, after: Sample): void {
    const at = new Date().toISOString();
    for (const { kind, count } of newFailures(before, after)) {
      const [route = '', status = '', credential = ''] = kind;
      this.#failures = withFailures(this.#failures, { at, count, route, status, credential });
    }
  }
}

/** With a new entry; one of the same kind that is hardly older is taken into it. The latest first. */
export function withFailures(
  entries: readonly RecentFailures[],
  latest: RecentFailures,
): readonly RecentFailures[] {
  const since = Date.parse(latest.at) - TOGETHER_MS;
  const alike = entries.find((entry) => isAlike(entry, latest) && Date.parse(entry.at) >= since);
  const others = entries.filter((entry) => entry !== alike);
  return [{ ...latest, count: latest.count + (alike?.count ?? 0) }, ...others].slice(0, FAILURES_KEPT);
}

function isAlike(one: RecentFailures, other: RecentFailures): boolean {
  return one.route === other.route && one.status === other.status && one.credential === other.credential;
}
