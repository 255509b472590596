// Lines on their way out: a bounded queue before one outlet. Lines wait here while the outlet cannot write, those that
// find no room are counted, and writing goes on by itself when it can. Where they go is the outlet's business.
import type { Destination } from './destination.ts';

/** Takes one batch of whole lines after the other. */
export interface Outlet {
  /** Rejects when it cannot write all of it; it then keeps the rest, for `retry`. Not called again before that. */
  write(lines: string): Promise<void>;
  /** Goes on with what `write` left; rejects like it. */
  retry(): Promise<void>;
  /** Goes on with a new file of the same name. Rejects when there is none to be had; the old one stays in use. */
  reopen(): Promise<void>;
}

/** What an operator should hear of. */
export interface LogEvents {
  /** Lines cannot be written; told again with every attempt. */
  onTrouble(cause: Error): void;
  /** They can again; so many were lost meanwhile. */
  onRecovered(lostLines: number): void;
}

export interface QueueOptions extends LogEvents {
  /** How long a few lines may wait to share one write, in ms; 0 writes at once. */
  readonly delayMs?: number;
  /** Most characters that wait. */
  readonly room?: number;
}

const ROOM = 4 * 1024 * 1024;
/** What a pipe holds and one read takes: a line more would cost the reader as much again. */
const BATCH = 64 * 1024;
const RETRY_MS = 1_000;
/** The end of a process does not wait longer for an outlet that hangs. */
const FLUSH_MS = 3_000;

export class LineQueue implements Destination {
  readonly #outlet: Outlet;
  readonly #options: Required<QueueOptions>;
  #waiting: string[] = [];
  #waitingSize = 0;
  #lostLines = 0;
  #lostBefore = 0;
  /** Since the first line that could not be written. */
  #isInTrouble = false;
  /** The outlet keeps the rest of a batch. */
  #isStuck = false;
  #isWorking = false;
  #timer: NodeJS.Timeout | undefined;
  #reopenings: ((failure: Error | undefined) => void)[] = [];
  #flushes: (() => void)[] = [];

  constructor(outlet: Outlet, options: QueueOptions) {
    this.#outlet = outlet;
    this.#options = { delayMs: 0, room: ROOM, ...options };
  }

  get lostLines(): number {
    return this.#lostLines;
  }

  write(lines: string): void {
    if (this.#waitingSize + lines.length > this.#options.room) {
      this.#lose(lines);
      return;
    }
    this.#waiting.push(lines);
    this.#waitingSize += lines.length;
    if (this.#isWorking || this.#isStuck) return;
    const { delayMs } = this.#options;
    if (delayMs === 0 || this.#waitingSize >= BATCH) void this.#work();
    else if (this.#timer === undefined) this.#workIn(delayMs);
  }

  /**
   * Resolves with what was in the way, if anything was. It waits its turn behind what is being written; where nobody reads
   * that, it is done later, and not waited for.
   */
  reopen(): Promise<Error | undefined> {
    return new Promise((resolve) => {
      const seconds = FLUSH_MS / 1000;
      const late = setTimeout(
        () => resolve(new Error(`nobody has taken what is being written for ${seconds} s`)),
        FLUSH_MS,
      );
      this.#reopenings.push((failure) => {
        clearTimeout(late);
        resolve(failure);
      });
      void this.#work();
    });
  }

  flush(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, FLUSH_MS);
      this.#flushes.push(() => {
        clearTimeout(late);
        resolve();
      });
      void this.#work();
    });
  }

  /** Until nothing is left to do, or writing fails. */
  async #work(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWorking) return;
    this.#isWorking = true;
    let isAble = true;
    let isFirst = true;
    for (;;) {
      // A new file may be what is needed to go on.
      if (this.#reopenings.length > 0) isAble = (await this.#reopenNow()) || isAble;
      else if (isAble && (this.#isStuck || this.#isDue(isFirst))) {
        isAble = await this.#writeBatch();
        isFirst = false;
      } else break;
    }
    this.#isWorking = false;
    if (!isAble) this.#workIn(RETRY_MS);
    else if (this.#waiting.length > 0) this.#workIn(this.#options.delayMs);
    for (const settle of this.#flushes.splice(0)) settle();
  }

  #workIn(ms: number): void {
    this.#timer = setTimeout(() => void this.#work(), ms).unref();
  }

  /** What comes in while a batch is written waits for its own time, or batches would be as small as writing is quick. */
  #isDue(isFirst: boolean): boolean {
    if (this.#waiting.length === 0) return false;
    const isFull = this.#options.delayMs === 0 || this.#waitingSize >= BATCH;
    return isFirst || isFull || this.#flushes.length > 0;
  }

  async #writeBatch(): Promise<boolean> {
    try {
      await (this.#isStuck ? this.#outlet.retry() : this.#outlet.write(this.#take()));
    } catch (cause) {
      this.#isStuck = true;
      this.#complain(cause instanceof Error ? cause : new Error(String(cause)));
      return false;
    }
    this.#isStuck = false;
    if (this.#isInTrouble && this.#waitingSize <= this.#options.room / 2) this.#recover();
    return true;
  }

  async #reopenNow(): Promise<boolean> {
    const waiters = this.#reopenings.splice(0);
    const failure = await this.#outlet.reopen().then(
      () => undefined,
      (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))),
    );
    for (const settle of waiters) settle(failure);
    return failure === undefined;
  }

  /** As many whole lines as a batch has room for, one at least. */
  #take(): string {
    let size = 0;
    let count = 0;
    for (const { length } of this.#waiting) {
      if (count > 0 && size + length > BATCH) break;
      size += length;
      count += 1;
    }
    this.#waitingSize -= size;
    return this.#waiting.splice(0, count).join('');
  }

  #lose(lines: string): void {
    const waiting = Math.round(this.#waitingSize / 1024);
    if (!this.#isInTrouble) this.#complain(new Error(`${waiting} kB of lines wait to be written`));
    this.#lostLines += countLines(lines);
  }

  #complain(cause: Error): void {
    if (!this.#isInTrouble) this.#lostBefore = this.#lostLines;
    this.#isInTrouble = true;
    this.#options.onTrouble(cause);
  }

  #recover(): void {
    this.#isInTrouble = false;
    this.#options.onRecovered(this.#lostLines - this.#lostBefore);
  }
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
