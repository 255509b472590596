// One connection to the upstream: writes one request at a time onto it and tells what comes back. Which connection a
// request gets is upstream-connections.ts's; what an answer means, the listener's.
import type { Socket } from 'node:net';
import { AnswerError, type AnswerHead } from './answer-head.ts';
import { AnswerParser, type AnswerSink } from './answer-parser.ts';
import type { RequestMessage } from './request-message.ts';
import { RequestWriter, type WritingListener } from './request-writer.ts';

/** Hears of one request; `onFailure` may come at any point and is the last. */
export interface RequestListener {
  onHead(head: AnswerHead): void;
  /** @param chunk to be used, or copied, before this returns */
  onBody(chunk: Buffer): void;
  /**
   * What had come in was told, and the answer goes on.
   * @returns false to hold it back until `resume`
   */
  onRead(): boolean;
  onEnd(): void;
  onFailure(cause: Error): void;
}

/** Something about a request on its way, or its answer; coded like undici's, which opens tunnels. */
export class ConnectionError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What becomes of a connection, for whoever keeps it. */
export interface ConnectionKeeper {
  onIdle(connection: UpstreamConnection): void;
  onGone(connection: UpstreamConnection): void;
}

/** A server's hint is taken this much shorter, so that its close does not race our next request. */
const HINT_MARGIN_MS = 2_000;
const LONGEST_IDLE_MS = 600_000;

export class UpstreamConnection implements AnswerSink, WritingListener {
  readonly #socket: Socket;
  readonly #writer: RequestWriter;
  readonly #keeper: ConnectionKeeper;
  readonly #parser: AnswerParser;
  /** How long it may be idle, unless the upstream says. */
  readonly #idleMs: number;
  #listener: RequestListener | null = null;
  #message: RequestMessage | null = null;
  #isGone = false;
  /** Before this it may be used again; performance.now(). */
  #usableUntil = 0;
  /** When something last went or came, performance.now(). */
  #activeAt = 0;
  #hasAnswered = false;
  #isPaused = false;

  constructor(socket: Socket, host: string, idleMs: number, keeper: ConnectionKeeper) {
    this.#socket = socket;
    this.#writer = new RequestWriter(socket, host, this);
    this.#idleMs = idleMs;
    this.#keeper = keeper;
    this.#parser = new AnswerParser(this);
    socket.on('end', () => this.#onClosed());
    socket.on('close', () => this.#onClosed());
    socket.on('error', (cause) => this.#fail(cause));
  }

  get isOpen(): boolean {
    return !this.#isGone;
  }

  /** Whether it is open and, as far as we know, will stay so for a moment. */
  isUsable(now: number): boolean {
    return !this.#isGone && now < this.#usableUntil;
  }

  /** Sends a request. One at a time. */
  send(message: RequestMessage, listener: RequestListener): void {
    this.#message = message;
    this.#listener = listener;
    this.#hasAnswered = false;
    this.#activeAt = performance.now();
    this.#parser.expect(message.method);
    this.#writer.write(message);
  }

  /** What has come in; it may be overwritten when this returns. */
  receive(bytes: Buffer): void {
    try {
      this.#parser.push(bytes);
    } catch (cause) {
      if (!(cause instanceof AnswerError)) throw cause;
      this.#fail(cause);
    }
    // A head that comes by the single byte is no answer until it is whole.
    if (!this.#hasAnswered) return;
    this.#activeAt = performance.now();
    if (this.#listener?.onRead() === false) this.#pause();
  }

  /** Lets a held answer go on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#activeAt = performance.now();
    this.#socket.resume();
  }

  /** Gives up: what is under way, and the connection with it. Nobody hears of it. */
  abort(): void {
    this.#listener = null;
    this.#discard();
  }

  /** The request that is under way, if the upstream has been silent for too long; to be asked now and then. */
  checkSilence(now: number, firstByteMs: number, idleMs: number): void {
    if (this.#listener === null || this.#isPaused) return;
    // It is the client's turn: body-pace.ts sees to that.
    if (this.#writer.isWriting && !this.#socket.writableNeedDrain) this.#activeAt = now;
    const limit = this.#hasAnswered ? idleMs : firstByteMs;
    if (limit === 0 || now - this.#activeAt <= limit) return;
    this.#fail(
      this.#hasAnswered
        ? new ConnectionError('UND_ERR_BODY_TIMEOUT', 'Body Timeout Error')
        : new ConnectionError('UND_ERR_HEADERS_TIMEOUT', 'Headers Timeout Error'),
    );
  }

  onHead(head: AnswerHead): void {
    this.#hasAnswered = true;
    this.#usableUntil = idleLimitOf(head.headers) ?? this.#idleMs;
    this.#listener?.onHead(head);
  }

  onBody(chunk: Buffer): void {
    this.#listener?.onBody(chunk);
  }

  onEnd(isReusable: boolean): void {
    const listener = this.#listener;
    const message = this.#message;
    this.#listener = null;
    this.#message = null;
    // An answer that came before all of the request was sent: the rest would be taken for the next one. And after HEAD
    // some servers send a body all the same.
    const isFit = isReusable && !this.#writer.isWriting && message?.method !== 'HEAD' && !this.#isGone;
    if (isFit) {
      this.resume();
      this.#usableUntil += performance.now();
    } else this.#discard();
    listener?.onEnd();
    if (isFit) this.#keeper.onIdle(this);
  }

  onProgress(): void {
    this.#activeAt = performance.now();
  }

  onMismatch(): void {
    this.#fail(new ConnectionError('UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'a body of another length'));
  }

  onBodyFault(cause: Error): void {
    this.#fail(cause);
  }

  #onClosed(): void {
    if (this.#isGone) return;
    if (this.#listener === null || !this.#parser.finish())
      this.#fail(new ConnectionError('UND_ERR_SOCKET', 'other side closed'));
  }

  #pause(): void {
    if (this.#isGone || this.#listener === null) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #fail(cause: Error): void {
    const listener = this.#listener;
    this.#listener = null;
    this.#discard();
    listener?.onFailure(cause);
  }

  #discard(): void {
    this.#message = null;
    this.#writer.stop();
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    this.#keeper.onGone(this);
  }
}

/** What `Keep-Alive: timeout=5` asks for, in ms; undefined when there is none. */
function idleLimitOf(headers: readonly string[]): number | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'keep-alive') continue;
    const seconds = /(?:^|[ ,])timeout=(\d{1,9})/i.exec(headers[i + 1] ?? '')?.[1];
    if (seconds !== undefined) return Math.min(Number(seconds) * 1000 - HINT_MARGIN_MS, LONGEST_IDLE_MS);
  }
  return undefined;
}
