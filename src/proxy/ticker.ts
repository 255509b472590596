// One clock for all exchanges of a worker: deadlines and silences are looked at a few times a second, so that an
// exchange costs no timer of its own.

/** Looked at on every tick. */
export interface Ticking {
  /** @param now performance.now() */
  onTick(now: number): void;
}

/** Ticks as long as somebody listens. */
export class Ticker {
  readonly #intervalMs: number;
  readonly #listeners = new Set<Ticking>();
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  add(listener: Ticking): void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs);
  }

  delete(listener: Ticking): void {
    this.#listeners.delete(listener);
  }

  #tick(): void {
    if (this.#listeners.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const listener of this.#listeners) listener.onTick(now);
  }
}

/** A quarter of the shortest limit, between 50 ms and half a second; limits of 0 are none. */
export function tickInterval(limitsMs: readonly number[]): number {
  const shortest = Math.min(...limitsMs.filter((limit) => limit > 0), 2_000);
  return Math.max(50, Math.floor(shortest / 4));
}
