// Work that would hold up an event loop, in a thread. piscina is known only here; what a thread runs is a file in
// workers/.
import type { Piscina } from 'piscina';

/** Threads that come with the first task and go when there has been none for a while. */
export class Threads<Argument = unknown, Result = unknown> {
  readonly #file: string;
  readonly #idleMs: number;
  readonly #count: number;
  #pool: Promise<Piscina<Argument, Result>> | undefined;

  /**
   * @param file compiled file in workers/ whose exported functions are the tasks
   * @param idleMs how long an idle thread is kept; it costs about 10 MB
   * @param count most threads at a time
   */
  constructor(file: string, idleMs: number, count: number = 1) {
    this.#file = file;
    this.#idleMs = idleMs;
    this.#count = count;
  }

  /**
   * Runs one exported function of the file. Arguments and result are copied.
   * @param given memory in the argument that is handed over instead, and is gone here afterwards
   */
  async run(task: string, argument: Argument, given: ArrayBuffer[] = []): Promise<Result> {
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    return pool.run(argument, { name: task, transferList: given });
  }

  /** Ends the thread, and whatever runs in it. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await (await pool)?.destroy();
  }

  async #open(): Promise<Piscina<Argument, Result>> {
    // Most processes never have such work: loading it is 9 MB for each.
    const piscina = await import('piscina');
    // A number of threads: the default would be one for each processor, in each process. No environment: it may hold
    // secrets.
    return new piscina.Piscina<Argument, Result>({
      filename: this.#file,
      minThreads: 0,
      maxThreads: this.#count,
      idleTimeout: this.#idleMs,
      env: {},
    });
  }
}
