// Looks after the files of a rolled log: deletes what is too old or too much, compresses what is no longer written.
// At the start, whenever a file was rolled, and every hour; one round at a time, its work in a thread.
import { rmSync } from 'node:fs';
import { Threads } from '../threads.ts';
import { type Retention, rolledFiles, sweepRolledFiles } from './retention.ts';

const EVERY_MS = 3_600_000;
/** Rolls come seldom, and a thread costs memory. */
const THREAD_IDLE_MS = 1_000;

export interface UpkeepOptions {
  /** The base path of the rolled files. */
  readonly base: string;
  readonly retention: Retention;
  /** Compiled workers/compress-log.ts. */
  readonly taskFile: string;
  /** Paths of files being written. */
  readonly active: () => readonly string[];
  readonly onFailed: (cause: unknown) => void;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #threads: Threads;
  readonly #timer: NodeJS.Timeout;
  #round: Promise<void> | undefined;
  #isWanted = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#threads = new Threads(options.taskFile, THREAD_IDLE_MS);
    this.#timer = setInterval(() => this.begin(), EVERY_MS).unref();
  }

  /** Begins a round now, or another one after the one that is under way. */
  begin(): void {
    this.#isWanted = true;
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined;
    });
  }

  /** What is half compressed is done again after the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isWanted = false;
    await this.#threads.close();
  }

  async #rounds(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      try {
        await this.#oneRound();
      } catch (cause) {
        // The folder may be gone or closed to us; that is no reason to stop serving.
        this.#options.onFailed(cause);
      }
    }
  }

  async #oneRound(): Promise<void> {
    const { base, retention, active, onFailed } = this.#options;
    // Rounds never overlap, so a temporary file is one that a crash left.
    for (const { path, kind } of rolledFiles(base)) if (kind === 'temporary') rmSync(path, { force: true });
    sweepRolledFiles(base, active(), retention, Date.now());
    const plain = rolledFiles(base)
      .filter(({ kind }) => kind === 'plain')
      .sort((a, b) => a.changedAt - b.changedAt);
    for (const { path } of plain) {
      // One that cannot be compressed keeps none of the others from it.
      if (!active().includes(path)) await this.#threads.run('compressFile', path).catch(onFailed);
    }
    sweepRolledFiles(base, active(), retention, Date.now());
  }
}
