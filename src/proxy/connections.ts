// The client connections of one worker: which are busy, and how they are brought to an end without cutting anybody off.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Responses and upgrades under way; more than one when requests are pipelined. */
  busy: number;
  latest: ServerResponse | null;
}

/** How long an idle connection stays open when draining: the client's next request may be on its way already. */
const IDLE_GRACE_MS = 1_000;

/** Knows every open connection of a server. */
export class Connections {
  readonly #open = new Map<Socket, Connection>();
  #inFlight = 0;
  #isDraining = false;
  #onEmpty: () => void = () => {};

  /** Exchanges and upgrades under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  add(socket: Socket): void {
    if (this.#open.has(socket)) return;
    const connection = { socket, busy: 0, latest: null };
    this.#open.set(socket, connection);
    socket.once('close', () => this.#remove(socket));
    if (this.#isDraining) this.#closeAfterGrace(connection);
  }

  /** A TLS handshake is done: from now on the connection is the secure socket on top of the plain one. */
  secure(plain: Socket, secure: Socket): void {
    this.add(secure);
    this.#remove(plain);
  }

  /** A request has come in on a connection; its response is the last one there when we are draining. */
  beginExchange(socket: Socket, response: ServerResponse): void {
    if (this.#isDraining) response.shouldKeepAlive = false;
    this.#begin(socket, response);
    response.once('close', () => this.#end(socket));
  }

  /** A connection has become something else than HTTP and stays busy until it closes. */
  beginUpgrade(socket: Socket): void {
    this.#begin(socket, null);
    socket.once('close', () => this.#end(socket));
  }

  /**
   * Tells clients to leave with the answer they wait for, closes idle connections after a grace, and at the deadline
   * whatever is left.
   * @returns how many exchanges the deadline cut off
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#isDraining = true;
    for (const connection of this.#open.values()) {
      const { latest, busy } = connection;
      if (latest !== null && !latest.headersSent) latest.shouldKeepAlive = false;
      if (busy === 0) this.#closeAfterGrace(connection);
    }
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#inFlight;
      for (const socket of this.#open.keys()) socket.destroy();
    }, deadlineMs);
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#open.size === 0) resolve();
    });
    clearTimeout(deadline);
    return cut;
  }

  #remove(socket: Socket): void {
    if (this.#open.delete(socket) && this.#open.size === 0) this.#onEmpty();
  }

  #begin(socket: Socket, response: ServerResponse | null): void {
    this.#inFlight += 1;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy += 1;
    connection.latest = response;
  }

  #end(socket: Socket): void {
    this.#inFlight -= 1;
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy -= 1;
    if (connection.busy > 0) return;
    connection.latest = null;
    if (this.#isDraining) this.#closeAfterGrace(connection);
  }

  #closeAfterGrace(connection: Connection): void {
    const timer = setTimeout(() => {
      if (connection.busy === 0 && this.#open.has(connection.socket)) connection.socket.destroySoon();
    }, IDLE_GRACE_MS);
    connection.socket.once('close', () => clearTimeout(timer));
  }
}
