// One try to get an answer from the upstream: one lease, one request, its events told to whoever judges them.
import type { AnswerHead } from './answer-head.ts';
import type { RequestMessage } from './request-message.ts';
import type { RequestListener } from './upstream-connection.ts';
import type { PendingRequest, UpstreamConnections } from './upstream-connections.ts';

/** How long the upstream may be silent. */
export interface SilenceLimits {
  /** Before the answer; 0 is no limit. */
  readonly firstByteMs: number;
  /** Between two bytes of the answer; 0 is no limit. */
  readonly idleMs: number;
}

/**
 * What comes back, in this order: onHeaders, onData..., then onEnd or onFailure; onFailure may come at any point. While
 * the answer goes on, onRead follows what came in together.
 */
export interface AttemptListener {
  onHeaders(status: number, headers: readonly string[], statusText: string): void;
  /** @param chunk to be used, or copied, before this returns */
  onData(chunk: Buffer): void;
  /** @returns false to hold the answer back until `resume` */
  onRead(): boolean;
  onEnd(): void;
  onFailure(cause: Error, wasSent: boolean): void;
}

/** A request under way. After `abort` its listener hears nothing more. */
export class Attempt implements RequestListener {
  readonly #listener: AttemptListener;
  readonly #limits: SilenceLimits;
  readonly #pending: PendingRequest;
  #isOver = false;

  constructor(
    connections: UpstreamConnections,
    message: RequestMessage,
    limits: SilenceLimits,
    listener: AttemptListener,
  ) {
    this.#listener = listener;
    this.#limits = limits;
    this.#pending = connections.send(message, this);
  }

  /** Gives the attempt up: the request is cancelled, also while it still waits for a connection. */
  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pending.abort();
  }

  /** Lets a held answer go on. */
  resume(): void {
    if (!this.#isOver) this.#pending.resume();
  }

  /** To be called now and then: an upstream that is silent for too long makes it fail. */
  onTick(now: number): void {
    if (!this.#isOver) this.#pending.checkSilence(now, this.#limits.firstByteMs, this.#limits.idleMs);
  }

  onHead({ status, headers, statusText }: AnswerHead): void {
    this.#listener.onHeaders(status, headers, statusText);
  }

  onBody(chunk: Buffer): void {
    this.#listener.onData(chunk);
  }

  onRead(): boolean {
    return this.#listener.onRead();
  }

  onEnd(): void {
    this.#isOver = true;
    this.#listener.onEnd();
  }

  onFailure(cause: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.onFailure(cause, this.#pending.wasSent);
  }
}
