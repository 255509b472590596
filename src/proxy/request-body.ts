// Takes in a client's request body: whole when it fits the bound (then it can be rewritten and sent again), else
// as a stream that is sent once.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { BodyPace } from './body-pace.ts';
import { BodyCutError, BodyRefusedError, BodyStream } from './body-stream.ts';
import type { ErrorReply } from './dialect.ts';
import { KeptBody } from './kept-body.ts';
import { BODY_TOO_SLOW, bodyTooLarge } from './protocol-errors.ts';
import { checkTrailers, expectsContinue } from './request-head.ts';
import { NOT_TICKING, type Ticker, type Ticking } from './ticker.ts';

/** How much may be taken in, and how slowly. */
export interface BodyBounds {
  /** A body up to this is kept whole. */
  readonly keepBytes: number;
  /** A body beyond this is refused. */
  readonly maxBytes: number;
  /** Longest silence in the middle of a body. */
  readonly timeoutMs: number;
}

/** A body that is sent on as it comes; `beginning` is what it began with, for whoever wants to know what it is about. */
export interface StreamedBody {
  readonly type: 'stream';
  readonly stream: Readable;
  readonly length: number | null;
  readonly beginning: Buffer;
}

/** What became of a body. `none` is a message without one, `kept` may be empty, `cut` says that the client left. */
export type RequestBody =
  | { readonly type: 'none' }
  | KeptBody
  | StreamedBody
  | { readonly type: 'refused'; readonly error: ErrorReply }
  | { readonly type: 'cut' };

export const NO_BODY: RequestBody = { type: 'none' };

/**
 * How much of a body is read ahead of an upstream that does not take it. While nothing is read nobody sees that the
 * client has left: its last bytes come behind those that the kernels hold. The largest body by default is as large.
 */
const READ_AHEAD_BYTES = 32 * 1024 * 1024;
/** libuv reads on as long as something is there, up to 2 MB; after this much others have a turn. */
const TURN_BYTES = 256 * 1024;

/** The body of one request that has one, until its last byte is here. */
export class BodyIntake implements Ticking {
  readonly #request: IncomingMessage;
  readonly #bounds: BodyBounds;
  readonly #ticker: Ticker;
  readonly #pace: BodyPace;
  /** Called once; null after that. */
  #onTaken: ((body: RequestBody) => void) | null;
  tickerPlace: number = NOT_TICKING;
  #chunks: Buffer[] = [];
  #size = 0;
  /** As it is announced; null when it is not. */
  #length: number | null = null;
  #stream: BodyStream | null = null;
  #isReadingAhead = false;
  /** What may still come in before others have a turn. */
  #turnBytes = TURN_BYTES;

  constructor(
    request: IncomingMessage,
    bounds: BodyBounds,
    ticker: Ticker,
    onTaken: (body: RequestBody) => void,
  ) {
    this.#request = request;
    this.#bounds = bounds;
    this.#ticker = ticker;
    this.#onTaken = onTaken;
    this.#pace = new BodyPace(bounds.timeoutMs, performance.now());
  }

  /** How many have come so far. */
  get bytes(): number {
    return this.#size;
  }

  /** Begins to read, unless the body is announced to be too large; only then the client may go on that waits for it. */
  start(response: ServerResponse): void {
    const declared = this.#request.headers['content-length'];
    const length = declared === undefined ? null : Number(declared);
    this.#length = length;
    const { maxBytes } = this.#bounds;
    if (length !== null && length > maxBytes) {
      this.refuse(bodyTooLarge(maxBytes));
      return;
    }
    if (expectsContinue(this.#request)) response.writeContinue();
    this.#request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    this.#ticker.add(this);
  }

  /** Ends it: whoever waits for the body, or is sending it on already, gets the error instead. */
  refuse(error: ErrorReply): void {
    this.#settle({ type: 'refused', error }, new BodyRefusedError(error));
  }

  onTick(now: number): void {
    const isHeldBack = this.#request.isPaused();
    if (this.#pace.isTooSlow(now, !isHeldBack, this.#size)) this.refuse(BODY_TOO_SLOW);
    else if (isHeldBack && !this.#isReadingAhead) {
      this.#isReadingAhead = true;
      this.#request.resume();
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#pace.onBytes();
    this.#size += chunk.length;
    const { maxBytes, keepBytes } = this.#bounds;
    if (this.#size > maxBytes) this.refuse(bodyTooLarge(maxBytes));
    else if (this.#stream !== null) this.#pass(this.#stream, chunk);
    else {
      this.#chunks.push(chunk);
      if (Math.max(this.#size, this.#length ?? 0) > keepBytes) this.#streamOn(this.#length);
      else if (this.#size === this.#length) this.#onWhole();
      else this.#shareTurn(chunk.length);
    }
  };

  /**
   * As long as it was announced: no trailers follow. Its end, which node would tell in four ticks, is not waited for,
   * and listeners that will hear nothing more are not taken away. The request stays with its connection for a
   * while (see ClientConnection#letGo); the body does not.
   */
  #onWhole(): void {
    const body = new KeptBody(this.#chunks);
    this.#chunks = [];
    this.#request.pause();
    this.#ticker.delete(this);
    this.#tell(body);
  }

  #shareTurn(bytes: number): void {
    this.#turnBytes -= bytes;
    if (this.#turnBytes > 0 || this.#request.isPaused()) return;
    this.#request.pause();
    setImmediate(() => {
      this.#turnBytes = TURN_BYTES;
      // How a stream is read is the stream's to say.
      if (this.#stream === null) this.#request.resume();
    });
  }

  readonly #onEnd = (): void => {
    const malformed = checkTrailers(this.#request);
    if (malformed !== null) this.refuse(malformed);
    else if (this.#stream === null) this.#settle(new KeptBody(this.#chunks));
    else {
      this.#leave();
      this.#stream.push(null);
    }
  };

  readonly #onClose = (): void => {
    this.#settle({ type: 'cut' }, new BodyCutError('client left while uploading'));
  };

  /** From here on it is not kept. */
  #streamOn(length: number | null): void {
    const stream = new BodyStream(
      () => this.#request.resume(),
      () => this.#leave(),
    );
    this.#stream = stream;
    this.#request.pause();
    for (const chunk of this.#chunks) stream.push(chunk);
    const [beginning = Buffer.alloc(0)] = this.#chunks;
    this.#chunks = [];
    this.#tell({ type: 'stream', stream, length, beginning });
  }

  #pass(stream: BodyStream, chunk: Buffer): void {
    if (stream.push(chunk)) this.#isReadingAhead = false;
    else if (!this.#isReadingAhead || stream.readableLength > READ_AHEAD_BYTES) this.#request.pause();
  }

  /** @param cause what the reader of the stream is told, when there is one already */
  #settle(body: RequestBody, cause?: Error): void {
    this.#leave();
    if (this.#stream === null) this.#tell(body);
    else this.#stream.destroy(cause);
  }

  #tell(body: RequestBody): void {
    const onTaken = this.#onTaken;
    this.#onTaken = null;
    onTaken?.(body);
  }

  #leave(): void {
    this.#ticker.delete(this);
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
  }
}
