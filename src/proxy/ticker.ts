// One clock for all exchanges of a worker: deadlines and silences are looked at a few times a second, so that an
// exchange costs no timer of its own.

/** Looked at on every tick. */
export interface Ticking {
  /** Where the ticker has it; NOT_TICKING to begin with. The ticker's own. */
  tickerPlace: number;
  /** @param now performance.now() */
  onTick(now: number): void;
}

export const NOT_TICKING = -1;

/** Ticks as long as somebody listens. */
export class Ticker {
  readonly #intervalMs: number;
  /**
   * No Set: one that is added to and deleted from all the time is built anew every few dozen times, and each outgrown
   * table, once it is old, keeps everything that was in it from V8's young generation, up to the next full collection.
   */
  readonly #listeners: Ticking[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  add(listener: Ticking): void {
    if (listener.tickerPlace !== NOT_TICKING) return;
    listener.tickerPlace = this.#listeners.length;
    this.#listeners.push(listener);
    this.#timer ??= setInterval(() => this.#tick(), this.#intervalMs);
  }

  delete(listener: Ticking): void {
    const place = listener.tickerPlace;
    if (place === NOT_TICKING) return;
    listener.tickerPlace = NOT_TICKING;
    const last = this.#listeners.pop();
    if (last === undefined || last === listener) return;
    this.#listeners[place] = last;
    last.tickerPlace = place;
  }

  #tick(): void {
    if (this.#listeners.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    for (const listener of [...this.#listeners]) {
      if (listener.tickerPlace !== NOT_TICKING) listener.onTick(now);
    }
  }
}

/** A quarter of the shortest limit, between 50 ms and half a second; limits of 0 are none. */
export function tickInterval(limitsMs: readonly number[]): number {
  const shortest = Math.min(...limitsMs.filter((limit) => limit > 0), 2_000);
  return Math.max(50, Math.floor(shortest / 4));
}
