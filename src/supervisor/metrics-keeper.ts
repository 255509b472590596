// Keeps what the workers have counted, also of those that are gone, so that no counter ever goes back.
import { WORKER_METRICS } from '../metrics/catalogue.ts';
import type { Definition } from '../metrics/definition.ts';
import { Family, type Series } from '../metrics/family.ts';
import { LoopDelay } from '../metrics/loop-delay.ts';
import type { MetricReading, MetricSums } from '../metrics/sums.ts';

/** How long a worker that is gone may still be heard: its last messages are read after its end is known. */
const LAST_WORDS_MS = 5_000;

/** The latest sums of one worker. */
interface Account {
  sums: MetricSums;
  /** performance.now() at which its process ended; null while it runs. */
  goneAt: number | null;
}

export class MetricsKeeper {
  readonly #accounts = new Map<number, Account>();
  /** What workers counted that are gone; each series that there ever was is in it, so that bounds hold for good. */
  readonly #past: readonly Family[] = Object.values(WORKER_METRICS).map(
    (definition) => new Family(definition),
  );
  readonly #restarts = new Map<string, number>();
  readonly #loop = new LoopDelay();

  /** @param worker its id, which no later one gets again */
  onSums(worker: number, sums: MetricSums): void {
    const account = this.#accounts.get(worker);
    if (account !== undefined) account.sums = sums;
  }

  onWorkerForked(worker: number): void {
    this.#accounts.set(worker, { sums: {}, goneAt: null });
  }

  /** @param now performance.now() */
  onWorkerGone(worker: number, now: number): void {
    const account = this.#accounts.get(worker);
    if (account !== undefined) account.goneAt = now;
  }

  /** A worker's place was taken by another one. */
  onRestart(reason: string): void {
    this.#restarts.set(reason, (this.#restarts.get(reason) ?? 0) + 1);
  }

  /** How late the event loop of the primary itself was in the last moments. */
  get loopDelayMs(): number {
    return this.#loop.ms;
  }

  get restarts(): ReadonlyMap<string, number> {
    return this.#restarts;
  }

  /**
   * What all workers have counted.
   * @param now performance.now()
   */
  read(now: number): MetricReading[] {
    this.#settle(now);
    const accounts = [...this.#accounts.values()];
    return this.#past.map((family) => {
      const { definition } = family;
      const isGauge = definition.kind === 'gauge';
      const totals = new Map(family.series.map((series) => [series, [...series.figures]]));
      for (const { sums, goneAt } of accounts) {
        if (isGauge && goneAt !== null) continue;
        for (const [labels, figures] of sums[definition.name] ?? []) {
          const series = family.at(...labels);
          totals.set(series, added(totals.get(series), figures));
        }
      }
      return { definition, series: [...totals].map(labelled) };
    });
  }

  /** The sum over every series of one counter, and over all workers there ever were. */
  total({ name }: Definition): number {
    const past = this.#past.find(({ definition }) => definition.name === name)?.series ?? [];
    const figures = past.map((series) => series.figures);
    for (const { sums } of this.#accounts.values()) {
      for (const [, counted] of sums[name] ?? []) figures.push([...counted]);
    }
    return figures.reduce((sum, [figure = 0]) => sum + figure, 0);
  }

  /** Puts down for good what workers counted that say nothing any more. */
  #settle(now: number): void {
    for (const [worker, { sums, goneAt }] of this.#accounts) {
      if (goneAt === null || now - goneAt < LAST_WORDS_MS) continue;
      this.#accounts.delete(worker);
      for (const family of this.#past) {
        if (family.definition.kind === 'gauge') continue;
        for (const [labels, figures] of sums[family.definition.name] ?? []) {
          family.at(...labels).merge(figures);
        }
      }
    }
  }
}

function added(before: readonly number[] | undefined, figures: readonly number[]): number[] {
  return figures.map((figure, at) => figure + (before?.[at] ?? 0));
}

function labelled([{ labels }, figures]: [Series, number[]]): [readonly string[], number[]] {
  return [labels, figures];
}

/**
 * Why a worker was replaced, in one word.
 * @param how its end in the words of the log, see crew.ts
 */
export function restartReason(killedFor: string | null, how: string): string {
  if (killedFor !== null) return 'killed';
  if (how === 'exit code 0') return 'reload';
  return how.startsWith('exit code') ? 'fault' : 'signal';
}
