// Takes in a client's request body: whole when it fits the bound (then it can be rewritten and sent again), else
// as a stream that is sent once.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** How much may be taken in. */
export interface BodyBounds {
  /** A body up to this is kept whole. */
  readonly keepBytes: number;
  /** A body beyond this is refused. */
  readonly maxBytes: number;
}

/** What became of a body. `none` is a message without one, `kept` may be empty. */
export type RequestBody =
  | { readonly type: 'none' }
  | { readonly type: 'kept'; readonly bytes: Buffer }
  | { readonly type: 'stream'; readonly stream: Readable; readonly length: number | null }
  | { readonly type: 'tooLarge' }
  | { readonly type: 'cut' };

export const NO_BODY: RequestBody = { type: 'none' };

/**
 * Reads the body of a request that has one and calls back once. `cut` means that the client left in the middle.
 */
export function takeBody(
  request: IncomingMessage,
  bounds: BodyBounds,
  onTaken: (body: RequestBody) => void,
): void {
  const declared = request.headers['content-length'];
  const length = declared === undefined ? null : Number(declared);
  if (length !== null && length > bounds.maxBytes) {
    onTaken({ type: 'tooLarge' });
    return;
  }
  if (length !== null && length > bounds.keepBytes) {
    onTaken({ type: 'stream', stream: new BodyStream(request, [], bounds.maxBytes), length });
    return;
  }
  collect(request, bounds, onTaken);
}

function collect(
  request: IncomingMessage,
  { keepBytes, maxBytes }: BodyBounds,
  onTaken: (body: RequestBody) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (body: RequestBody): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    onTaken(body);
  };
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) stop({ type: 'tooLarge' });
    else if (size > keepBytes) {
      stop({ type: 'stream', stream: new BodyStream(request, chunks, maxBytes), length: null });
    }
  };
  const onEnd = (): void => {
    const [only] = chunks;
    stop({ type: 'kept', bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks) });
  };
  const onClose = (): void => stop({ type: 'cut' });
  request.on('data', onData).on('end', onEnd).on('close', onClose);
}

/** A body grew beyond the bound while it was being sent on. */
export class BodyTooLargeError extends Error {
  readonly code = 'body_too_large';
}

/** The client left before its body was whole. */
export class BodyCutError extends Error {
  readonly code = 'client_left';
}

/**
 * The rest of a request's body. Destroying it leaves the request itself alone, so that the client can still be
 * answered on its connection.
 */
class BodyStream extends Readable {
  readonly #request: IncomingMessage;
  #left: number;

  constructor(request: IncomingMessage, taken: readonly Buffer[], maxBytes: number) {
    super({ highWaterMark: 64 * 1024 });
    this.#request = request;
    this.#left = maxBytes;
    request.pause();
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    for (const chunk of taken) this.#onData(chunk);
  }

  override _read(): void {
    this.#request.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    callback(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#left -= chunk.length;
    if (this.#left < 0) this.destroy(new BodyTooLargeError('request body too large'));
    else if (!this.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    this.push(null);
  };

  readonly #onClose = (): void => {
    if (!this.#request.complete) this.destroy(new BodyCutError('client left while uploading'));
  };
}
