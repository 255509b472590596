// One connection of a client: whose turn it is on it. Requests may come in before the ones ahead of them are answered
// (pipelining); they are taken on one at a time and in order (RFC 9112 section 9.3.2), since not all are safe methods.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorReply } from './dialect.ts';

/** Ends an exchange whose request turns out to be malformed in its body. */
export type BreakOff = (error: ErrorReply) => void;

/** As the collection of all of them sees it, see connections.ts. */
export class ClientConnection {
  readonly socket: Socket;
  /** One more than should be: it gets one answer. */
  readonly isSurplus: boolean;
  /** Responses and upgrades under way or waiting for their turn. */
  busy = 0;
  latest: ServerResponse | null = null;
  readonly #waiting: (() => void)[] = [];
  #breakOff: BreakOff | null = null;
  #fault: ErrorReply | null = null;

  constructor(socket: Socket, isSurplus: boolean) {
    this.socket = socket;
    this.isSurplus = isSurplus;
  }

  /** Does something when everything before it is done. It has been counted as busy. */
  inTurn(start: () => void): void {
    if (this.busy > 1) this.#waiting.push(start);
    else start();
  }

  /** An exchange has begun; should its body turn out malformed, or have done so already, this ends it. */
  onBegun({ req }: ServerResponse, breakOff: BreakOff): void {
    if (this.#fault !== null && !req.complete) breakOff(this.#fault);
    else this.#breakOff = breakOff;
  }

  /**
   * What came is no HTTP (any more). The exchange whose body it is in is broken off; requests before it are answered.
   * @param onTurn to say so, when it is the connection's turn
   */
  fail(fault: ErrorReply, onTurn: () => void): void {
    const hasFailed = this.#fault !== null;
    this.#fault = fault;
    if (hasFailed) return;
    if (this.latest === null || this.latest.req.complete) this.whenIdle(onTurn);
    else if (this.busy === 0) this.socket.destroy();
    else if (this.busy === 1) this.#breakOff?.(fault);
  }

  /** Something is done; what waits has its turn, unless that was the last the client will hear. */
  onDone(): void {
    this.busy = this.socket.writable ? this.busy - 1 : 0;
    this.#breakOff = null;
    if (this.busy === 0 && this.latest?.req.complete) this.latest = null;
    if (this.socket.writable) this.#waiting.shift()?.();
  }

  /** Does something that is no exchange when everything before it is done. */
  whenIdle(start: () => void): void {
    if (this.busy === 0) start();
    else this.#waiting.push(start);
  }
}
