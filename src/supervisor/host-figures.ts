// Figures of the machine for those who look at the service. systeminformation takes them in a thread: it would hold up
// the primary's loop, which accepts for all. Nothing is measured while nobody looks.
import type { HostFigures } from '../control/status.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { Threads } from '../threads.ts';

/** Older figures are taken again when somebody looks. */
const FRESH_MS = 2_000;
/** How long the thread waits for the next look; it costs about 10 MB. */
const IDLE_THREAD_MS = 10_000;

export class HostWatch {
  readonly #threads: Threads;
  readonly #log: Logger;
  #latest: HostFigures | null = null;
  #takenAt: number = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | null = null;

  /** @param taskFile compiled workers/host-figures.ts */
  constructor(taskFile: string, log: Logger) {
    this.#threads = new Threads(taskFile, IDLE_THREAD_MS);
    this.#log = log;
  }

  /** As they were when somebody looked last; null before. */
  get latest(): HostFigures | null {
    return this.#latest;
  }

  /** Somebody looks: resolves when `latest` is fresh, or cannot be. */
  refresh(): Promise<void> {
    if (performance.now() - this.#takenAt < FRESH_MS) return Promise.resolve();
    this.#running ??= this.#take().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  async #take(): Promise<void> {
    try {
      const figures: unknown = await this.#threads.run('hostFigures', null);
      if (isHostFigures(figures)) this.#latest = figures;
      this.#takenAt = performance.now();
    } catch (cause) {
      this.#log.debug({ msg: `The figures of the host cannot be taken: ${messageOf(cause)}` });
    }
  }
}

function isHostFigures(value: unknown): value is HostFigures {
  return typeof value === 'object' && value !== null && 'cpuPercent' in value && 'memoryTotalBytes' in value;
}
