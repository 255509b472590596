// The moments of one minute: how many requests there were in the last 60 seconds, exactly.

const MINUTE_MS = 60_000;
/** So many moments that are over are worth moving the others for. */
const WORTH_MOVING = 1_024;

/** A sliding window. `now` never goes back. */
export class MinuteWindow {
  #moments: number[] = [];
  #first = 0;

  add(now: number): void {
    this.#moments.push(now);
  }

  /** How long until fewer than `most` are left; 0 when that is so now. */
  fullForMs(most: number, now: number): number {
    this.#dropEnded(now);
    // The one whose end makes room; there may be more than `most` after a limit was lowered.
    const blocking = this.#moments.length - most;
    const moment = blocking < this.#first ? undefined : this.#moments[blocking];
    return moment === undefined ? 0 : moment + MINUTE_MS - now;
  }

  #dropEnded(now: number): void {
    for (let moment = this.#moments[this.#first]; moment !== undefined && moment <= now - MINUTE_MS; ) {
      this.#first += 1;
      moment = this.#moments[this.#first];
    }
    if (this.#first < WORTH_MOVING || this.#first * 2 < this.#moments.length) return;
    this.#moments = this.#moments.slice(this.#first);
    this.#first = 0;
  }
}
