// One connection of a client: whose turn it is on it. Requests may come in before the ones ahead of them are answered
// (pipelining); they are taken on one at a time and in order (RFC 9112 section 9.3.2), since not all are safe methods.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorReply } from './dialect.ts';
import type { IdleState } from './idle-timeout.ts';
import type { Paced } from './request-pace.ts';

/** Where a socket has the connection that it is, as long as it is open. */
export const CONNECTION: unique symbol = Symbol('connection');

declare module 'net' {
  interface Socket {
    [CONNECTION]?: ClientConnection | undefined;
  }
}

/** How an exchange is ended before its time: the client is told what its protocol still allows. */
export interface ExchangeEnds {
  /** Its request turns out to be malformed in its body. */
  readonly breakOff: (error: ErrorReply) => void;
  /** It may not go on any longer, whatever stage it is at. */
  readonly cutOff: (error: ErrorReply) => void;
}

/** As the collection of all of them sees it, see connections.ts. */
export class ClientConnection implements Paced {
  readonly socket: Socket;
  /** One more than should be: it gets one answer. */
  readonly isSurplus: boolean;
  /** Responses and upgrades under way or waiting for their turn. */
  busy = 0;
  /** In the list of all of them. */
  place = -1;
  requestsLeft = 0;
  isHeldBack = false;
  /** A request has been answered on it. */
  isKept = false;
  readonly idle: IdleState = { ticks: 0, bytesRead: 0 };
  latest: ServerResponse | null = null;
  /** The last request, while node still keeps it, since it has not been read to its end. */
  #answered: IncomingMessage | null = null;
  readonly #waiting: (() => void)[] = [];
  #ends: ExchangeEnds | null = null;
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
  onBegun({ req }: ServerResponse, ends: ExchangeEnds): void {
    this.#ends = ends;
    this.#answered = null;
    if (this.#fault !== null && !req.complete) ends.breakOff(this.#fault);
  }

  /** Ends what is under way and lets nothing that waits behind it begin. */
  cutOff(error: ErrorReply): void {
    this.#waiting.length = 0;
    if (this.#ends === null) this.socket.destroy();
    else this.#ends.cutOff(error);
  }

  /** An upgrade has begun, and stays until the connection closes. */
  onUpgradeBegun(ends: ExchangeEnds): void {
    this.#ends = ends;
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
    else if (this.busy === 1) this.#ends?.breakOff(fault);
  }

  /** Has nothing under way any more. What node keeps of its last request stays until `letGo` or the next one. */
  onIdle(answered: IncomingMessage): void {
    this.#answered = answered;
  }

  /** The last request is read to its end, which is known but not told yet: node forgets it then, some ticks later. */
  letGo(): void {
    this.#answered?.resume();
    this.#answered = null;
  }

  /** Something is done; what waits has its turn, unless that was the last the client will hear. */
  onDone(): void {
    this.busy = this.socket.writable ? this.busy - 1 : 0;
    this.#ends = null;
    if (this.busy === 0 && this.latest?.req.complete) this.latest = null;
    if (this.socket.writable) this.#waiting.shift()?.();
  }

  /** Does something that is no exchange when everything before it is done. */
  whenIdle(start: () => void): void {
    if (this.busy === 0) start();
    else this.#waiting.push(start);
  }
}
