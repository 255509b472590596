// The simulated Flow LLM Proxy: a listening server, its state, and the handles tests steer and read it by.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Authenticator } from './authenticate.ts';
import { Changes } from './changes.ts';
import { Connections } from './connections.ts';
import { control, type Stats } from './control.ts';
import type { SimulatedCredential } from './credentials.ts';
import { FaultBook, type FaultRule, type FaultStatus } from './faults.ts';
import { Realtime } from './realtime.ts';
import { Recorder, type RequestRecord } from './record.ts';
import { serve, type World } from './serve.ts';

export type { Stats } from './control.ts';
export { generateCredentials, parseCredentials, type SimulatedCredential } from './credentials.ts';
export type { Fault, FaultPhase, FaultRule, FaultStatus } from './faults.ts';
export { headerValues } from './headers.ts';
export { pseudoRandomBlocks } from './pseudo-random.ts';
export type { HeaderPair, Outcome, RequestRecord } from './record.ts';

export interface SimulatedUpstreamOptions {
  readonly credentials: readonly SimulatedCredential[];
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Pause before every answer. */
  readonly latencyMs?: number;
  /** Content chunks per stream, 5 by default; the prompt may ask for others with `chunks:N`. */
  readonly chunks?: number;
  /** Pause between chunks, 0 by default; the prompt may ask for another with `interval:MS`. */
  readonly chunkIntervalMs?: number;
  /** How long an idle connection is kept, 65 s by default. */
  readonly keepAliveTimeoutMs?: number;
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer };
}

const BASE_PATH = '/flow-llm-proxy';
const AWAIT_MS = 30_000;

/** Starts a simulated upstream and resolves when it listens. */
export async function startSimulatedUpstream(options: SimulatedUpstreamOptions): Promise<SimulatedUpstream> {
  const { host = '127.0.0.1', port = 0, keepAliveTimeoutMs = 65_000, tls } = options;
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return new SimulatedUpstream(server, options);
}

export class SimulatedUpstream {
  readonly port: number;
  /** With the base path, without a slash at the end: what flow-proxy gets as its upstream. */
  readonly url: string;
  /** Without the base path: `/_control` is below it. */
  readonly origin: string;
  readonly #server: Server;
  readonly #changes = new Changes();
  readonly #world: World;
  readonly #realtime: Realtime;

  /** @param server already listening */
  constructor(server: Server, options: SimulatedUpstreamOptions) {
    const { host = '127.0.0.1', tls, chunks = 5, chunkIntervalMs = 0, latencyMs = 0 } = options;
    this.#server = server;
    this.port = portOf(server.address());
    this.origin = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
    this.url = this.origin + BASE_PATH;
    this.#world = {
      authenticator: new Authenticator(options.credentials),
      faults: new FaultBook(),
      recorder: new Recorder(this.#changes),
      connections: new Connections(this.#changes),
      pace: { chunks, intervalMs: chunkIntervalMs },
      latencyMs,
    };
    this.#realtime = new Realtime(this.#world);
    this.#listen();
  }

  /** The last 10,000 requests, oldest first; live objects, with the token unredacted. */
  get requests(): readonly RequestRecord[] {
    return this.#world.recorder.requests;
  }

  /** The rules in force and how often each has struck. */
  get faults(): readonly FaultStatus[] {
    return this.#world.faults.rules;
  }

  /** Replaces all fault rules; requests in flight keep the fault they met. */
  setFaults(rules: readonly FaultRule[]): void {
    this.#world.faults.replace(rules);
  }

  /** Replaces the accepted credentials. */
  setCredentials(credentials: readonly SimulatedCredential[]): void {
    this.#world.authenticator = new Authenticator(credentials);
  }

  /** Forgets the recorded requests and the counts by credential. */
  clearRequests(): void {
    this.#world.recorder.clear();
  }

  stats(): Stats {
    const { connections, recorder } = this.#world;
    return {
      openConnections: connections.open,
      activeRequests: recorder.active,
      totalConnections: connections.total,
      byCredential: recorder.byCredential,
    };
  }

  /** Resolves with the first request that satisfies the predicate, be it recorded already or still to come. */
  async waitFor(
    predicate: (request: RequestRecord) => boolean,
    timeoutMs: number = AWAIT_MS,
  ): Promise<RequestRecord> {
    const already = this.requests.find(predicate);
    if (already !== undefined) return already;
    return this.#changes.until(
      (changed) => (changed !== null && predicate(changed) ? changed : undefined),
      timeoutMs,
    );
  }

  /** Resolves with the counts as soon as they satisfy the predicate. */
  async waitForStats(predicate: (stats: Stats) => boolean, timeoutMs: number = AWAIT_MS): Promise<Stats> {
    const satisfying = (): Stats | undefined => {
      const stats = this.stats();
      return predicate(stats) ? stats : undefined;
    };
    return satisfying() ?? this.#changes.until(satisfying, timeoutMs);
  }

  /** Stops listening, destroys every connection, and resolves when none is left. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#world.connections.destroyAll();
    await closed;
    this.#changes.close();
  }

  #listen(): void {
    this.#server.on('connection', (socket) => this.#world.connections.add(socket));
    this.#server.on('request', (request, response) => this.#route(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const path = pathBelowBase(request.url ?? '');
      if (path === null)
        socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      else void this.#realtime.upgrade(request, socket, head, path);
    });
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    const path = pathBelowBase(url);
    if (path !== null) {
      void serve(this.#world, request, response, path);
    } else if (url.startsWith('/_control/')) {
      const { connections, faults, recorder } = this.#world;
      connections.leaveOut(request.socket);
      void control({ faults, recorder, stats: () => this.stats() }, request, response);
    } else {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"detail":"Not Found"}');
    }
  }
}

function pathBelowBase(url: string): string | null {
  if (!url.startsWith(`${BASE_PATH}/`)) return null;
  const query = url.indexOf('?');
  return url.slice(BASE_PATH.length, query < 0 ? undefined : query);
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string')
    throw new Error('simulated upstream: not listening on TCP');
  return address.port;
}
