// The worker's HTTP server: listening, how many may come, and what it says to bytes that are no request to be handled.
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsPair } from '../clients/tls-pair.ts';
import { codeOf } from '../errors.ts';
import type { WorkerInboundLimits } from '../generation.ts';
import type { Logger } from '../logging/logger.ts';
import type { LoopDelay } from '../metrics/loop-delay.ts';
import type { ExchangeEnds } from './client-connection.ts';
import { ClosedConnections } from './closed-connections.ts';
import { Connections } from './connections.ts';
import { type Dialect, type ErrorReply, errorOnWire } from './dialect.ts';
import {
  CONNECT_REFUSED,
  LOOP_TOO_LATE,
  RETRY_SOON,
  TOO_MANY_CONNECTIONS,
  TOO_MANY_IN_FLIGHT,
} from './protocol-errors.ts';
import { dialectFor, errorFor } from './raw-refusal.ts';
import { parserOptions } from './server-options.ts';
import { createTlsServer, followHandshakes, isTlsFault, renewCertificate } from './tls-server.ts';
import { endGently } from './unread-body.ts';
import { headWithoutOffer, isWebSocketOffer } from './upgrade-offer.ts';

/** Where requests and WebSocket upgrades go. */
export interface ServerHandlers {
  /** @returns how to end the exchange before its time */
  onRequest(request: IncomingMessage, response: ServerResponse): ExchangeEnds;
  /** @returns the same */
  onUpgrade(request: IncomingMessage, socket: net.Socket, head: Buffer): ExchangeEnds;
}

export interface ServerOptions {
  /** How long a client's idle connection is kept open. */
  readonly keepAliveTimeoutMs: number;
  readonly inbound: WorkerInboundLimits;
  readonly loop: LoopDelay;
  /** null for plain HTTP. */
  readonly tls: TlsPair | null;
  readonly log: Logger;
}

/** An address, or the descriptor of a socket that somebody else bound. */
export type ListenPlace = { readonly port: number; readonly host: string } | { readonly fd: number };

/** Connections that may wait to be accepted; the kernel takes no more than net.core.somaxconn. */
const BACKLOG = 4_096;
/** Surplus connections that are still read from, since one may ask for our health. */
const SURPLUS_READ = 64;
/** They are to ask at once. */
const SURPLUS_MS = 5_000;

/** A node:http or node:https server that can be drained. */
export class ProxyServer {
  readonly connections: Connections;
  readonly #server: Server;
  /** The same one, when it speaks TLS. */
  readonly #secureServer: https.Server | null;
  readonly #handlers: ServerHandlers;
  readonly #inbound: WorkerInboundLimits;
  readonly #loop: LoopDelay;
  readonly #log: Logger;

  constructor(handlers: ServerHandlers, { keepAliveTimeoutMs, inbound, loop, tls, log }: ServerOptions) {
    this.#handlers = handlers;
    this.#inbound = inbound;
    this.#loop = loop;
    this.#log = log;
    this.connections = new Connections(inbound.connections, keepAliveTimeoutMs);
    const options = { ...parserOptions(inbound.headerMs), keepAliveTimeout: keepAliveTimeoutMs };
    this.#secureServer = tls === null ? null : createTlsServer(options, tls);
    this.#server = this.#secureServer ?? http.createServer(options);
    // Node would leave out the headers beyond 2,000 without a word; their size is bounded anyway.
    this.#server.maxHeadersCount = 0;
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    if (this.#secureServer !== null) followHandshakes(this.#secureServer, this.#server, this.connections);
    // The handler answers what a request expects.
    for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
      this.#server.on(event, (request, response) => this.#onRequest(request, response));
    }
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('connect', (_request, socket) => this.#onConnect(socket));
    this.#server.on('clientError', (cause, socket) => this.#onClientError(cause, socket));
  }

  /** Serves new connections with a renewed certificate; those that are open go on as they are. */
  renewCertificate(pair: TlsPair): void {
    if (this.#secureServer !== null) renewCertificate(this.#secureServer, pair);
  }

  /** @returns the port it listens on */
  listen(place: ListenPlace): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...place, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** Why what has just come in on a connection cannot be worked on now; null when it can. */
  overload(socket: net.Socket): ErrorReply | null {
    if (this.connections.of(socket)?.isSurplus) return TOO_MANY_CONNECTIONS;
    if (this.connections.inFlight > this.#inbound.inFlight) return TOO_MANY_IN_FLIGHT;
    const { loopDelayMs } = this.#inbound;
    return loopDelayMs > 0 && this.#loop.ms > loopDelayMs ? LOOP_TOO_LATE : null;
  }

  /** Tells of the connections that came by the port and have closed, see ClosedConnections. */
  tellClosed(tell: (count: number) => void): void {
    const closed = new ClosedConnections(tell);
    this.#server.on('connection', (socket) => {
      if (this.#server.listening) closed.watch(socket);
    });
  }

  /** Takes a connection that did not come by the port. */
  accept(socket: net.Socket): void {
    this.#server.emit('connection', socket);
  }

  get isSecure(): boolean {
    return this.#secureServer !== null;
  }

  /**
   * Takes no new connections and lets the open ones come to their end.
   * @returns how many exchanges the deadline cut off
   */
  drain(deadlineMs: number): Promise<number> {
    if (this.connections.isDraining) return this.connections.drain(deadlineMs);
    // http.Server's own close would close idle sockets at once and race their next request; net's only stops listening.
    net.Server.prototype.close.call(this.#server);
    return this.connections.drain(deadlineMs);
  }

  #onConnection(socket: net.Socket): void {
    if (this.connections.of(socket) !== undefined) return;
    this.connections.add(socket);
    if (this.connections.surplus > SURPLUS_READ) {
      this.#refuse(socket, TOO_MANY_CONNECTIONS, RETRY_SOON);
      // There is no TLS yet to say it in.
      if (this.#secureServer !== null) socket.destroy();
    } else if (this.connections.surplus > 0) socket.setTimeout(SURPLUS_MS);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // The client has been told that the answer before was the last one here.
    if (socket.writableEnded) return;
    const connection = this.connections.beginExchange(socket, response);
    connection?.inTurn(() => {
      if (connection.isSurplus) response.shouldKeepAlive = false;
      connection.onBegun(response, this.#handlers.onRequest(request, response));
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = socket instanceof net.Socket ? this.connections.of(socket) : undefined;
    if (connection === undefined || socket.writableEnded) socket.destroy();
    else if (isWebSocketOffer(request)) {
      this.connections.beginUpgrade(connection);
      connection.inTurn(() =>
        connection.onUpgradeBegun(this.#handlers.onUpgrade(request, connection.socket, head)),
      );
    } else {
      connection.whenIdle(() => {
        socket.unshift(Buffer.concat([headWithoutOffer(request), head]));
        this.#server.emit(this.#secureServer === null ? 'connection' : 'secureConnection', socket);
      });
    }
  }

  #onConnect(socket: Duplex): void {
    const connection = socket instanceof net.Socket ? this.connections.of(socket) : undefined;
    connection?.whenIdle(() => this.#refuse(socket, CONNECT_REFUSED, ['Allow', 'GET, HEAD, POST']));
  }

  #onClientError(cause: Error, socket: Duplex): void {
    const code = codeOf(cause);
    if (isTlsFault(code)) this.#log.debug({ msg: 'A client got no TLS connection', error: code });
    // Nothing came at all (browsers open connections ahead of time), or nobody is there to read an answer.
    const isIdle =
      code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket instanceof net.Socket && socket.bytesRead === 0;
    if (code === 'ECONNRESET' || isTlsFault(code) || isIdle) socket.destroy();
    else if (!socket.writable) return;
    else {
      const reply = errorFor(cause);
      const refuse = (): void => this.#refuse(socket, reply, [], dialectFor(cause));
      const connection = socket instanceof net.Socket ? this.connections.of(socket) : undefined;
      if (connection === undefined) refuse();
      else connection.fail(reply, refuse);
    }
  }

  /** Says no to what has no response object, and leaves the one line that it gets. */
  #refuse(
    socket: Duplex,
    reply: ErrorReply,
    headers: readonly string[] = [],
    dialect: Dialect = 'openai',
  ): void {
    this.#log.warning({ msg: `Refused: ${reply.message}`, status: reply.status, error: reply.code });
    endGently(socket, errorOnWire(dialect, reply, headers));
  }
}
