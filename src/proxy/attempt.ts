// One try to get an answer from the upstream: one lease, one dispatch, its events told to whoever judges them.
// undici's raw handler is used as it is (no streams, no promises): that is what makes an exchange cheap.
import type { Dispatcher } from 'undici';
import { codeOf } from '../errors.ts';
import type { RequestBody } from './request-body.ts';

/** What goes out. */
export interface AttemptRequest {
  readonly origin: string;
  readonly method: string;
  readonly path: string;
  /** Flat list of names and values, Authorization included. */
  readonly headers: string[];
  readonly body: RequestBody;
  /** Longest silence before the answer. */
  readonly firstByteMs: number;
  /** Longest silence between two bytes of the answer. */
  readonly idleMs: number;
}

/** What comes back, in this order: onHeaders, onData..., then onEnd or onFailure; onFailure may come at any point. */
export interface AttemptListener {
  /** @returns false to hold the answer back until `resume` */
  onHeaders(status: number, headers: readonly Buffer[], statusText: string): boolean;
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFailure(cause: Error, wasSent: boolean): void;
}

const LENGTH_MISMATCH = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';

/** Reason given to undici when we give up an attempt; it reaches nobody. */
class AttemptAborted extends Error {
  readonly code = 'attempt_aborted';
}

/** A dispatch under way. After `abort` its listener hears nothing more. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #listener: AttemptListener;
  #abort: ((cause?: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #isOver = false;
  #wasSent = false;
  /** 204 and 304 end with their headers, whatever length these tell (RFC 9112 section 6.3). */
  #isBodiless = false;

  constructor(dispatcher: Dispatcher, request: AttemptRequest, listener: AttemptListener) {
    this.#listener = listener;
    const { body } = request;
    dispatcher.dispatch(
      {
        origin: request.origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: body.type === 'kept' ? body.bytes : body.type === 'stream' ? body.stream : null,
        headersTimeout: request.firstByteMs,
        bodyTimeout: request.idleMs,
      },
      this,
    );
  }

  /** Gives the attempt up: the request is cancelled, also while it still waits for a connection. */
  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // An error takes its stack trace when it is made: only where it is needed.
    this.#abort?.(new AttemptAborted('given up'));
  }

  /** Lets a held answer go on. */
  resume(): void {
    this.#resume?.();
  }

  onConnect(abort: (cause?: Error) => void): void {
    if (this.#isOver) {
      abort(new AttemptAborted('given up before it was sent'));
      return;
    }
    this.#abort = abort;
    this.#wasSent = true;
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void, statusText: string): boolean {
    // Interim answers (103 Early Hints) say nothing yet; 100 never comes, since Expect is not sent on.
    if (status < 200) return true;
    this.#resume = resume;
    this.#isBodiless = status === 204 || status === 304;
    return this.#isOver || this.#listener.onHeaders(status, headers, statusText);
  }

  onData(chunk: Buffer): boolean {
    return this.#isOver || this.#listener.onData(chunk);
  }

  onComplete(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onEnd();
  }

  onError(cause: Error): void {
    // undici misses the body that a 304 may tell the length of, although there is none.
    if (this.#isBodiless && codeOf(cause) === LENGTH_MISMATCH) this.onComplete();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onFailure(cause, this.#wasSent);
  }
}
