// The primary's one way to the log: whole lines of all processes, in the order they came in. What workers write to
// their standard output are log lines; what they write to standard error becomes log lines.
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Destination } from './destination.ts';
import { LineJoiner } from './line-joiner.ts';

/** A pipe that somebody else holds open is not waited for. */
const LATE_MS = 1_000;

/** What is printed beside a log that is a file. */
export interface Echo {
  readonly destination: Destination;
  /** Whether it gets lines of workers, too: one for each exchange. */
  readonly isWhole: boolean;
}

/** Joins the processes' lines on one destination. */
export class LogSink {
  readonly #main: Destination;
  readonly #echo: Echo | null;
  readonly #open = new Map<LineJoiner, Promise<unknown>>();

  /** @param echo standard output, when the log itself is a file */
  constructor(main: Destination, echo: Echo | null) {
    this.#main = main;
    this.#echo = echo;
  }

  /** Lines of the log that could not be written, since the start; those of the echo are not among them. */
  get lostLines(): number {
    return this.#main.lostLines;
  }

  /** One line of the primary itself; what pino calls. */
  write(line: string): void {
    this.#main.write(line);
    this.#echo?.destination.write(line);
  }

  /** Log lines of a worker. */
  attachLog(source: Readable): void {
    const echo = this.#echo?.isWhole ? this.#echo.destination : null;
    this.#attach(source, (lines) => {
      this.#main.write(lines);
      echo?.write(lines);
    });
  }

  /** Anything else a worker prints, one line at a time. */
  attachText(source: Readable, onLine: (line: string) => void): void {
    this.#attach(source, (lines) => {
      for (const line of lines.split('\n')) if (line !== '') onLine(line);
    });
  }

  /**
   * Goes on with a new file, after the old one has been moved away.
   * @returns resolves once the new file is in use, or with what was in the way; the old one is then still in use
   */
  reopen(): Promise<Error | undefined> {
    return this.#main.reopen();
  }

  /** Resolves when every line is out, or cannot be; for the end of the process, when the workers are gone. */
  async close(): Promise<void> {
    await this.#untilClosed();
    for (const joiner of this.#open.keys()) joiner.finish();
    await Promise.all([this.#main.flush(), this.#echo?.destination.flush()]);
  }

  /** A worker's last lines may still be on their way when it has exited. */
  async #untilClosed(): Promise<void> {
    const given = new AbortController();
    const late = pause(LATE_MS, undefined, { signal: given.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#open.values()), late]);
    given.abort();
  }

  #attach(source: Readable, onLines: (lines: string) => void): void {
    const joiner = new LineJoiner(onLines);
    const onClosed = (): void => {
      joiner.finish();
      this.#open.delete(joiner);
    };
    this.#open.set(joiner, new Promise((resolve) => source.once('close', resolve)).then(onClosed));
    source.on('data', (chunk: Buffer) => joiner.push(chunk));
  }
}
