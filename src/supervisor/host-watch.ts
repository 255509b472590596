// Figures of the machine, found out in a thread and only while somebody asks: whoever asks gets the latest, and has the
// next ones looked for. Without questions nothing runs.
import { type HostFigures, isHostFigures } from '../control/live.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { Threads } from '../threads.ts';

/** Figures older than this are looked for again. */
const FRESH_MS = 2_000;
/** Of the thread, when nobody asks any more. */
const IDLE_MS = 10_000;

export class HostWatch {
  readonly #threads: Threads;
  readonly #log: Logger;
  #latest: HostFigures | null = null;
  #takenAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  /** @param taskFile compiled workers/host-figures.ts */
  constructor(taskFile: string, log: Logger) {
    this.#threads = new Threads(taskFile, IDLE_MS);
    this.#log = log;
  }

  /** The latest figures; null before the first ones, or when they are too old to be true. @param now performance.now() */
  ask(now: number): HostFigures | null {
    if (now - this.#takenAt >= FRESH_MS && !this.#isLooking) void this.#look();
    return now - this.#takenAt > 5 * FRESH_MS ? null : this.#latest;
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      const figures = await this.#threads.run('sampleHost', null);
      this.#latest = isHostFigures(figures) ? figures : null;
    } catch (cause) {
      this.#log.debug({ msg: `Host figures: ${messageOf(cause)}` });
    }
    this.#takenAt = performance.now();
    this.#isLooking = false;
  }
}
