// Rewrites request bodies: small ones on the spot, large ones in a thread so that other exchanges go on meanwhile.
import type { Threads } from '../../threads.ts';
import { cutJson, type JsonPath } from './cut-json.ts';

/** What workers/rewrite-body.ts is given; the bytes are copied, so the original stays whole. */
export interface RewriteTask {
  readonly body: Uint8Array;
  readonly paths: readonly JsonPath[];
}

/** Measured: below this a round trip to a thread costs the loop more than the rewriting itself. */
const INLINE_BYTES = 256 * 1024;

/** Removes members from JSON bodies, wherever that is cheapest for the event loop. */
export class BodyRewriter {
  readonly #threads: Threads;

  constructor(threads: Threads) {
    this.#threads = threads;
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
    this.#threads.run('rewriteBody', task).then((result) => {
      if (result instanceof Uint8Array)
        onDone(Buffer.from(result.buffer, result.byteOffset, result.byteLength));
      else onError(new TypeError('the rewriting thread returned no bytes'));
    }, onError);
  }
}
