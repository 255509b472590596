// How late the event loop of this process is: what everything waits for before anything is done for it.

const LOOK_EVERY_MS = 100;
/** How fast a peak is forgotten once the loop is in time again. */
const HALF_LIFE_MS = 500;

/** The delay after another look: a new peak counts at once, an old one fades. Pure. */
export function fadedDelay(before: number, lateMs: number, sinceMs: number): number {
  return Math.max(lateMs, before * 0.5 ** (sinceMs / HALF_LIFE_MS));
}

/** Looks several times a second, from its construction on; does not keep the process alive. */
export class LoopDelay {
  #lookedAt: number = performance.now();
  #delayMs = 0;

  constructor() {
    setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS).unref();
  }

  /** The longest delay of the last moments, fading. */
  get ms(): number {
    return this.#delayMs;
  }

  #look(now: number): void {
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    this.#delayMs = fadedDelay(this.#delayMs, Math.max(0, sinceMs - LOOK_EVERY_MS), sinceMs);
  }
}
