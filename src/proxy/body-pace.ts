// How slowly a body may come: neither silent for long, nor by the single byte for ever. Pure; the time is handed in.

/** Below this a client makes no headway; Apache's RequestReadTimeout has the same number. */
const LEAST_BYTES_PER_SECOND = 500;
/** A loop that was blocked, or a machine that slept, says nothing about the client. */
const LONGEST_STEP_MS = 2_000;

/** The pace of one body. */
export class BodyPace {
  readonly #timeoutMs: number;
  #lastAt: number;
  #silentMs = 0;
  #readingMs = 0;

  /** @param now performance.now() */
  constructor(timeoutMs: number, now: number) {
    this.#timeoutMs = timeoutMs;
    this.#lastAt = now;
  }

  /** Something came. */
  onBytes(): void {
    this.#silentMs = 0;
  }

  /**
   * To be asked a few times a second.
   * @param isReading false while we are the ones who hold the client back, which is not its fault
   * @param bytes that have come so far
   */
  isTooSlow(now: number, isReading: boolean, bytes: number): boolean {
    const step = Math.min(now - this.#lastAt, LONGEST_STEP_MS);
    this.#lastAt = now;
    if (!isReading) return false;
    this.#silentMs += step;
    this.#readingMs += step;
    const earnedMs = (bytes / LEAST_BYTES_PER_SECOND) * 1000;
    return this.#silentMs > this.#timeoutMs || this.#readingMs > this.#timeoutMs + earnedMs;
  }
}
