// The client connections of one worker: how many there are, which are busy, and how they are brought to an end
// without cutting anybody off.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ClientConnection, CONNECTION } from './client-connection.ts';
import { IdleTimeout, withoutTimer } from './idle-timeout.ts';
import { ENDED_BY_DRAIN } from './protocol-errors.ts';
import { RequestPace } from './request-pace.ts';

/** How long an idle connection stays open when draining: the client's next request may be on its way already. */
const IDLE_GRACE_MS = 1_000;
/** How long after the deadline a client may take to read that it was cut off. */
const LAST_WORDS_MS = 2_000;

/** Knows every open connection of a server. */
export class Connections {
  /** In no order, each at its place; no Map, see ticker.ts. */
  readonly #open: ClientConnection[] = [];
  readonly #most: number;
  readonly #pace = new RequestPace();
  readonly #idleTimeout: IdleTimeout;
  #isDraining = false;
  #inFlight = 0;
  #onEmpty: () => void = () => {};
  #drained: Promise<number> | null = null;
  #deadline: { readonly at: number; readonly timer: NodeJS.Timeout } | null = null;
  #cut = 0;

  /**
   * @param most connections beyond these are surplus
   * @param keepAliveTimeoutMs how long one that has nothing to do is kept; 0 for as long as its client wants
   */
  constructor(most: number = Number.POSITIVE_INFINITY, keepAliveTimeoutMs: number = 0) {
    this.#most = most;
    this.#idleTimeout = new IdleTimeout(this.#open, keepAliveTimeoutMs);
  }

  /** Exchanges and upgrades under way: one for each busy connection, however many wait behind it. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** How many connections there are beyond those that should be. */
  get surplus(): number {
    return Math.max(0, this.#open.length - this.#most);
  }

  of(socket: Socket): ClientConnection | undefined {
    return socket[CONNECTION];
  }

  add(socket: Socket): void {
    if (socket[CONNECTION] !== undefined) return;
    this.#add(new ClientConnection(socket, this.#open.length >= this.#most));
    this.#pace.onArrival();
  }

  /** A TLS handshake is done: from now on the connection is the secure socket on top of the plain one. */
  secure(plain: Socket, secure: Socket): void {
    this.#add(new ClientConnection(secure, plain[CONNECTION]?.isSurplus ?? false));
    this.#remove(plain);
  }

  /**
   * A request has come in on a connection; its response is the last one there when we are draining.
   * @returns the connection; undefined when it has closed
   */
  beginExchange(socket: Socket, response: ServerResponse): ClientConnection | undefined {
    if (this.#isDraining) response.shouldKeepAlive = false;
    const connection = socket[CONNECTION];
    if (connection === undefined) return undefined;
    this.#begin(connection, response);
    response.on('close', () => this.#end(connection, response.req));
    return connection;
  }

  /** A connection has become something else than HTTP and stays busy until it closes. */
  beginUpgrade(connection: ClientConnection): void {
    this.#begin(connection, null);
  }

  /**
   * Tells clients to leave with the answer they wait for, closes idle connections after a grace, and at the deadline
   * ends whatever is left. Again, it brings the deadline forward.
   * @returns how many exchanges the deadline cut off
   */
  drain(deadlineMs: number): Promise<number> {
    this.#setDeadline(deadlineMs);
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<number> {
    this.#isDraining = true;
    this.#idleTimeout.stop();
    this.#pace.release();
    for (const connection of [...this.#open]) {
      const { latest, busy } = connection;
      if (latest !== null && !latest.headersSent) latest.shouldKeepAlive = false;
      if (busy === 0) this.#closeAfterGrace(connection);
    }
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#open.length === 0) resolve();
    });
    clearTimeout(this.#deadline?.timer);
    return this.#cut;
  }

  #setDeadline(fromNowMs: number): void {
    const at = performance.now() + fromNowMs;
    if (this.#deadline !== null && this.#deadline.at <= at) return;
    clearTimeout(this.#deadline?.timer);
    this.#deadline = { at, timer: setTimeout(() => this.#cutAll(), fromNowMs) };
  }

  /** Clients get a moment to read why. */
  #cutAll(): void {
    this.#cut = this.#inFlight;
    for (const connection of [...this.#open]) connection.cutOff(ENDED_BY_DRAIN);
    setTimeout(() => {
      for (const { socket } of [...this.#open]) socket.destroy();
    }, LAST_WORDS_MS).unref();
  }

  #add(connection: ClientConnection): void {
    const { socket } = connection;
    connection.place = this.#open.push(connection) - 1;
    socket[CONNECTION] = connection;
    if (!connection.isSurplus) withoutTimer(socket);
    // While an upgrade waits for its turn node does not listen any more, and an error that nobody hears ends the worker.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#remove(socket));
    if (this.#isDraining) this.#closeAfterGrace(connection);
  }

  /** With it goes what was under way on it: responses that wait behind another one never hear of its end. */
  #remove(socket: Socket): void {
    const connection = socket[CONNECTION];
    if (connection === undefined) return;
    if (connection.busy > 0) this.#inFlight -= 1;
    connection.busy = 0;
    socket[CONNECTION] = undefined;
    this.#forget(connection);
    if (this.#open.length === 0) this.#onEmpty();
  }

  /** The last one takes its place. */
  #forget({ place }: ClientConnection): void {
    const last = this.#open.pop();
    if (last === undefined || place === this.#open.length) return;
    this.#open[place] = last;
    last.place = place;
  }

  #begin(connection: ClientConnection, response: ServerResponse | null): void {
    if (connection.busy === 0) this.#inFlight += 1;
    connection.busy += 1;
    connection.latest = response;
  }

  #end(connection: ClientConnection, request: IncomingMessage): void {
    // It has closed.
    if (connection.busy === 0) return;
    const { socket } = connection;
    connection.onDone();
    connection.isKept = true;
    if (connection.busy > 0) return;
    this.#inFlight -= 1;
    if (this.#isDraining) this.#closeAfterGrace(connection);
    else if (socket.writable) {
      connection.onIdle(request);
      this.#pace.awaitNext(connection);
      // It may wait for longer than V8's young collections take to come.
      if (connection.isHeldBack) connection.letGo();
    }
  }

  #closeAfterGrace(connection: ClientConnection): void {
    const close = (): void => {
      if (connection.busy === 0) connection.socket.destroySoon();
    };
    // A loop that was late runs its timers before it reads what has come meanwhile: a turn later it has.
    const timer = setTimeout(() => setImmediate(close), IDLE_GRACE_MS);
    connection.socket.once('close', () => clearTimeout(timer));
  }
}
