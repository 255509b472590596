// Rewrites request bodies: small ones on the spot, large ones in a piscina thread so that other exchanges go on.
// piscina is known only here and to workers/rewrite-body.ts, which is what its thread runs.
import { Piscina } from 'piscina';
import { cutJson, type JsonPath } from './cut-json.ts';

/** What a thread is given; the bytes are copied, so the original stays whole. */
export interface RewriteTask {
  readonly body: Uint8Array;
  readonly paths: readonly JsonPath[];
}

/** Measured: below this a round trip to a thread costs the loop more than the rewriting itself. */
const INLINE_BYTES = 256 * 1024;
/** An idle thread costs about 10 MB; it goes when nobody has sent a large body for this long. */
const IDLE_THREAD_MS = 60_000;

/** Removes members from JSON bodies, wherever that is cheapest for the event loop. */
export class BodyRewriter {
  readonly #taskFile: string;
  #threads: Piscina | undefined;

  /** @param taskFile path of the compiled task that a thread runs */
  constructor(taskFile: string) {
    this.#taskFile = taskFile;
  }

  /** Calls back with the rewritten body, at once when it is small. */
  rewrite(
    body: Buffer,
    paths: readonly JsonPath[],
    onDone: (rewritten: Buffer) => void,
    onError: (cause: unknown) => void,
  ): void {
    if (body.length < INLINE_BYTES) {
      onDone(cutJson(body, paths));
      return;
    }
    const task: RewriteTask = { body, paths };
    this.#pool()
      .run(task, { name: 'rewriteBody' })
      .then((result: Uint8Array) => {
        onDone(Buffer.from(result.buffer, result.byteOffset, result.byteLength));
      })
      .catch(onError);
  }

  /** Ends the threads; for a worker that is about to exit. */
  async close(): Promise<void> {
    await this.#threads?.destroy();
  }

  #pool(): Piscina {
    this.#threads ??= new Piscina({
      filename: this.#taskFile,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_THREAD_MS,
      env: {},
    });
    return this.#threads;
  }
}
