// Work that would hold up an event loop, in a thread. piscina is known only here; what a thread runs is a file in
// workers/.
import { Piscina } from 'piscina';

/** A thread that comes with the first task and goes when there has been none for a while. */
export class Threads {
  readonly #file: string;
  readonly #idleMs: number;
  #pool: Piscina | undefined;

  /**
   * @param file compiled file in workers/ whose exported functions are the tasks
   * @param idleMs how long an idle thread is kept; it costs about 10 MB
   */
  constructor(file: string, idleMs: number) {
    this.#file = file;
    this.#idleMs = idleMs;
  }

  /** Runs one exported function of the file. Arguments and result are copied. */
  async run(task: string, argument: unknown): Promise<unknown> {
    // One thread: the default would be one for each processor, in each process. No environment: it may hold secrets.
    this.#pool ??= new Piscina({
      filename: this.#file,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: this.#idleMs,
      env: {},
    });
    const result: unknown = await this.#pool.run(argument, { name: task });
    return result;
  }

  /** Ends the thread, and whatever runs in it. */
  async close(): Promise<void> {
    await this.#pool?.destroy();
    this.#pool = undefined;
  }
}
