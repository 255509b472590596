// Rewrites request bodies: small ones on the spot, large ones in a thread so that other exchanges go on meanwhile.
import { inOwnMemory } from '../../own-memory.ts';
import type { Threads } from '../../threads.ts';
import { type BodyFacts, readBodyFacts } from '../body-facts.ts';
import type { KeptBody } from '../kept-body.ts';
import { cutJson, type JsonPath } from './cut-json.ts';

/** What workers/rewrite-body.ts is given. */
export interface RewriteTask {
  /** The body, in pieces. */
  readonly pieces: readonly Uint8Array[];
  readonly paths: readonly JsonPath[];
}

/** What comes of it. */
export interface Rewritten {
  readonly body: Uint8Array;
  /** Of the rewritten body: to read them takes as long as to rewrite it. */
  readonly facts: BodyFacts;
}

/** Measured: below this a round trip to a thread costs the loop more than the rewriting itself. */
const INLINE_BYTES = 256 * 1024;

/** Removes members from JSON bodies, wherever that is cheapest for the event loop. */
export class BodyRewriter {
  readonly #threads: Threads;

  constructor(threads: Threads) {
    this.#threads = threads;
  }

  /**
   * Calls back with the rewritten body, at once when it is small.
   * @param body is not to be used any more
   */
  rewrite(
    body: KeptBody,
    paths: readonly JsonPath[],
    onDone: (rewritten: Buffer, facts: BodyFacts) => void,
    onError: (cause: unknown) => void,
  ): void {
    if (body.length < INLINE_BYTES) {
      const rewritten = cutJson(body.bytes, paths);
      onDone(rewritten, readBodyFacts(rewritten));
      return;
    }
    // To copy two megabytes there and back would hold up the loop for milliseconds.
    const pieces = body.giveAway().map(inOwnMemory);
    const task: RewriteTask = { pieces, paths };
    const memory = pieces.map(({ buffer }) => buffer);
    this.#threads.run('rewriteBody', task, memory).then((result) => {
      if (isRewritten(result)) {
        const { buffer, byteOffset, byteLength } = result.body;
        onDone(Buffer.from(buffer, byteOffset, byteLength), result.facts);
      } else onError(new TypeError('the rewriting thread returned no bytes'));
    }, onError);
  }
}

function isRewritten(result: unknown): result is Rewritten {
  const isObject = typeof result === 'object' && result !== null;
  return isObject && 'body' in result && result.body instanceof Uint8Array && 'facts' in result;
}
