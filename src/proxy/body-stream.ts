// The rest of a request's body on its way to the upstream, and why it may stop before its end. Destroying it leaves
// the request itself alone, so that the client can still be answered on its connection.
import { Readable } from 'node:stream';
import type { ErrorReply } from './dialect.ts';

const HELD_BYTES = 64 * 1024;

/** Fed by a BodyIntake. */
export class BodyStream extends Readable {
  readonly #onWanted: () => void;
  readonly #onDestroyed: () => void;

  constructor(onWanted: () => void, onDestroyed: () => void) {
    super({ highWaterMark: HELD_BYTES });
    this.#onWanted = onWanted;
    this.#onDestroyed = onDestroyed;
    // It may break while nobody reads it yet: whoever is to do so later looks at `errored` first.
    this.on('error', () => {});
  }

  override _read(): void {
    this.#onWanted();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#onDestroyed();
    callback(error);
  }
}

/** A body turned out too large, too slow or malformed while it was being sent on. */
export class BodyRefusedError extends Error {
  readonly code: string;
  readonly reply: ErrorReply;

  constructor(reply: ErrorReply) {
    super(reply.message);
    this.code = reply.code;
    this.reply = reply;
  }
}

/** The client left before its body was whole. */
export class BodyCutError extends Error {
  readonly code = 'client_left';
}
