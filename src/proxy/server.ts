// The worker's HTTP server: listening, and what it says to bytes that are no request to be handled.
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsPair } from '../clients/tls-pair.ts';
import { codeOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { Connections } from './connections.ts';
import { type ErrorReply, errorOnWire } from './dialect.ts';
import { createTlsServer, followHandshakes, isTlsFault, renewCertificate } from './tls-server.ts';

/** Where requests and WebSocket upgrades go. */
export interface ServerHandlers {
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: net.Socket, head: Buffer): void;
}

export interface ServerOptions {
  /** How long a client's idle connection is kept open. */
  readonly keepAliveTimeoutMs: number;
  /** null for plain HTTP. */
  readonly tls: TlsPair | null;
  readonly log: Logger;
}

/** A node:http or node:https server that can be drained. */
export class ProxyServer {
  readonly connections: Connections = new Connections();
  readonly #server: Server;
  /** The same one, when it speaks TLS. */
  readonly #secureServer: https.Server | null;
  readonly #handlers: ServerHandlers;
  readonly #log: Logger;

  constructor(handlers: ServerHandlers, { keepAliveTimeoutMs, tls, log }: ServerOptions) {
    this.#handlers = handlers;
    this.#log = log;
    const options = { keepAliveTimeout: keepAliveTimeoutMs, noDelay: true };
    this.#secureServer = tls === null ? null : createTlsServer(options, tls);
    this.#server = this.#secureServer ?? http.createServer(options);
    this.#server.on('connection', (socket) => this.connections.add(socket));
    if (this.#secureServer !== null) followHandshakes(this.#secureServer, this.#server, this.connections);
    this.#server.on('request', (request, response) => {
      this.connections.beginExchange(request.socket, response);
      handlers.onRequest(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('connect', (_request, socket) =>
      refuse(socket, CONNECT_REFUSED, ['Allow: GET, HEAD, POST']),
    );
    this.#server.on('clientError', (cause, socket) => this.#onClientError(cause, socket));
  }

  /** Serves new connections with a renewed certificate; those that are open go on as they are. */
  renewCertificate(pair: TlsPair): void {
    if (this.#secureServer !== null) renewCertificate(this.#secureServer, pair);
  }

  /** @returns the port it listens on */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off('error', reject);
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /**
   * Takes no new connections and lets the open ones come to their end.
   * @returns how many exchanges the deadline cut off
   */
  drain(deadlineMs: number): Promise<number> {
    // http.Server's own close would close idle sockets at once and race their next request; net's only stops listening.
    net.Server.prototype.close.call(this.#server);
    return this.connections.drain(deadlineMs);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!(socket instanceof net.Socket)) socket.destroy();
    else if (request.headers.upgrade?.toLowerCase() !== 'websocket')
      this.#ignoreUpgrade(request, socket, head);
    else {
      this.connections.beginUpgrade(socket);
      this.#handlers.onUpgrade(request, socket, head);
    }
  }

  /**
   * An upgrade that we do not do (h2c, which Java's HTTP client always offers) is to be ignored (RFC 9110 section
   * 7.8). Node has let go of the connection by then, so it is given the request once more, without the offer.
   */
  #ignoreUpgrade(
    { method, url, httpVersion, rawHeaders }: IncomingMessage,
    socket: net.Socket,
    head: Buffer,
  ): void {
    const lines = [`${method} ${url} HTTP/${httpVersion}`];
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? '';
      if (!/^(?:upgrade|http2-settings|connection)$/i.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`);
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
    this.#server.emit(this.#secureServer === null ? 'connection' : 'secureConnection', socket);
  }

  #onClientError(cause: Error, socket: Duplex): void {
    const code = codeOf(cause);
    if (isTlsFault(code)) this.#log.debug({ msg: `No TLS handshake: ${cause.message}`, error: code });
    if (code === 'ECONNRESET' || isTlsFault(code) || !socket.writable) {
      socket.destroy();
      return;
    }
    const reply = replyFor(code);
    this.#log.warning({ msg: `Refused: ${reply.message}`, status: reply.status, error: reply.code });
    refuse(socket, reply);
  }
}

const CONNECT_REFUSED: ErrorReply = {
  status: 405,
  code: 'connect_not_supported',
  message: 'flow-proxy opens no tunnels. Use http:// URLs of the upstream, or this address as the base URL.',
};

function replyFor(code: string | undefined): ErrorReply {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'headers_too_large', message: 'The request headers are too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, code: 'request_timeout', message: 'The request did not arrive in time.' };
    default:
      return { status: 400, code: 'malformed_request', message: 'The request is not valid HTTP/1.1.' };
  }
}

function refuse(socket: Duplex, reply: ErrorReply, headers: readonly string[] = []): void {
  socket.on('error', () => socket.destroy());
  socket.end(errorOnWire('openai', reply, headers));
}
