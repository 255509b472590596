// The primary's own HTTP listener, for those who watch the service: its life and its place. It only reads; what there
// is to see is in the routes that it is given. Commands go over the control socket.
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenPlace } from '../../config/formats.ts';
import { codeOf, messageOf } from '../../errors.ts';
import type { Logger } from '../../logging/logger.ts';
import { isNamedByUs } from './host-check.ts';
import { replyText } from './reply.ts';

/** Answers GET and HEAD of one path; node leaves the body of an answer to HEAD out. A rejection becomes a 500. */
export type AdminRoute = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** By path, without query. */
export type AdminRoutes = Readonly<Record<string, AdminRoute>>;

/** Those who watch are few. */
const MAX_CONNECTIONS = 100;
const RETRY_MS = 10_000;

/** Serves as long as it is open, at one place after the other. */
export class AdminListener {
  readonly #routes: AdminRoutes;
  readonly #log: Logger;
  #wanted: ListenPlace | null = null;
  #server: Server | null = null;
  #retry: NodeJS.Timeout | undefined;

  constructor(routes: AdminRoutes, log: Logger) {
    this.#routes = routes;
    this.#log = log;
  }

  /** Where it serves; null when it does not. */
  get address(): ListenPlace | null {
    const address = this.#server?.address();
    if (typeof address !== 'object' || address === null) return null;
    return { host: address.address, port: address.port };
  }

  /**
   * Serves there and no longer where it did; null is nowhere. A place that cannot be had is tried again and again:
   * the service goes on without it.
   * @returns resolves once it serves there, or has failed for the first time
   */
  async move(place: ListenPlace | null): Promise<void> {
    if (place?.host === this.#wanted?.host && place?.port === this.#wanted?.port) return;
    this.close();
    this.#wanted = place;
    if (place !== null) await this.#open(place, true);
  }

  /** Ends it with all its connections. */
  close(): void {
    clearTimeout(this.#retry);
    this.#wanted = null;
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }

  async #open(place: ListenPlace, isFirst: boolean): Promise<void> {
    const server = http.createServer({ headersTimeout: 10_000, requestTimeout: 30_000 });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('request', (request, response) => this.#answer(place.host, request, response));
    try {
      await listen(server, place);
    } catch (cause) {
      if (this.#wanted === place) this.#onFailed(place, cause, isFirst);
      return;
    }
    if (this.#wanted !== place) {
      server.close();
      return;
    }
    this.#server = server;
    this.#log.info({ msg: `Metrics and status on ${urlOf(this.address ?? place)}` });
  }

  #onFailed(place: ListenPlace, cause: unknown, isFirst: boolean): void {
    const why = codeOf(cause) === 'EADDRINUSE' ? 'in use by another process' : messageOf(cause);
    if (isFirst) {
      const where = `${urlOf(place)} (FLOW_PROXY_ADMIN_LISTEN)`;
      this.#log.warning({ msg: `No metrics and status on ${where}: ${why}; trying again, serving goes on` });
    }
    this.#retry = setTimeout(() => void this.#open(place, false), RETRY_MS).unref();
  }

  #answer(host: string, request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const route = Object.hasOwn(this.#routes, path) ? this.#routes[path] : undefined;
    if (!isNamedByUs(host, request.headers.host)) {
      replyText(response, 421, 'Ask for this by the name localhost or by its address.');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      replyText(response, 405, 'Only GET and HEAD: commands go by flow-proxy on the command line.');
    } else if (route === undefined) {
      replyText(response, 404, `There are ${Object.keys(this.#routes).join(', ')}.`);
    } else void this.#run(route, request, response);
  }

  async #run(route: AdminRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await route(request, response);
    } catch (cause) {
      this.#log.error({ msg: `Admin listener: ${messageOf(cause)}` });
      if (response.headersSent) response.destroy();
      else replyText(response, 500, 'This went wrong; the log says how.');
    }
  }
}

function listen(server: Server, { host, port }: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      // One connection could not be taken; the next one may be.
      server.on('error', () => {});
      resolve();
    });
  });
}

function urlOf({ host, port }: ListenPlace): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
