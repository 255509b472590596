// The way of one WebSocket upgrade to the upstream: lease → attempt → judge, again with another credential while the
// client has been told nothing. The attempts themselves run on http-proxy's `ws` path.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RetrySettings } from '../config/settings.ts';
import type { Lease, NoLease } from '../credentials/pool.ts';
import { messageOf } from '../errors.ts';
import type { ErrorReply } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import type { ProxyPipeline, UpgradeListener } from './http-proxy.ts';
import { judgeAnswer, judgeFailure } from './judge.ts';
import { type Leases, noLeaseError } from './leases.ts';
import { INTERNAL_ERROR } from './protocol-errors.ts';
import { headersForUpstream } from './request-headers.ts';
import { leaseWait, mayTryAgain, nextLease } from './retry-bounds.ts';
import type { Target } from './target.ts';
import { discardRest } from './unread-body.ts';
import { OpenWebSocket } from './websocket-end.ts';

/** What every upgrade is forwarded with. */
export interface UpgradeParts {
  readonly target: Target;
  readonly leases: Leases;
  readonly pipeline: ProxyPipeline;
  readonly retry: RetrySettings;
  /** How long the upstream may take to accept an upgrade. */
  readonly openTimeoutMs: number;
  readonly metrics: ExchangeMetrics;
}

/** The client's side. */
export interface UpgradeClient {
  readonly socket: Socket;
  /** What it has sent ahead. */
  readonly head: Buffer;
  /** The upstream has answered with this status, and the client is told so. */
  readonly onAnswered: (status: number) => void;
  /** Ends it with an error of ours. */
  readonly refuse: (error: ErrorReply, headers?: readonly string[]) => void;
}

/** Forwards one upgrade. */
export class UpgradeForwarding implements UpgradeListener {
  readonly #exchange: Exchange;
  readonly #client: UpgradeClient;
  readonly #parts: UpgradeParts;
  readonly #tried: string[] = [];
  readonly #stopWatching: () => void;
  readonly #givenUp = new AbortController();
  #lease: Lease | null = null;
  #open: OpenWebSocket | null = null;

  constructor(exchange: Exchange, client: UpgradeClient, parts: UpgradeParts) {
    this.#exchange = exchange;
    this.#client = client;
    this.#parts = parts;
    this.#stopWatching = watchForEnd(client.socket);
  }

  start(): void {
    this.#client.socket.once('close', () => this.#release());
    this.#next();
  }

  /** Ends it whatever stage it is at: an open one with a Close frame, another one with an error of ours. */
  cutOff(error: ErrorReply): void {
    if (this.#open !== null) {
      this.#exchange.errorCode = error.code;
      this.#open.end();
    } else if (this.#client.socket.writable) {
      this.#givenUp.abort();
      this.#refuse(error);
    }
  }

  onOpen(answer: IncomingMessage, upstream: Duplex): void {
    this.#open = new OpenWebSocket(this.#client.socket, upstream);
    this.#judge(answer);
    this.#parts.metrics.onStreamBegun(this.#exchange);
    this.#tell(answer);
  }

  onRefused(answer: IncomingMessage, passOn: () => void): void {
    this.#exchange.endAttempt();
    const { isRetryable } = this.#judge(answer);
    if (isRetryable && mayTryAgain(this.#exchange, this.#tried, this.#parts)) {
      this.#exchange.noteFailover(String(answer.statusCode));
      this.#next();
    } else {
      this.#exchange.errorCode = 'upgrade_refused';
      this.#tell(answer);
      passOn();
      discardRest(this.#client.socket);
    }
  }

  onFailure(cause: Error, wasSent: boolean): void {
    const { target, retry } = this.#parts;
    const exchange = this.#exchange;
    exchange.endAttempt();
    this.#release();
    if (this.#givenUp.signal.aborted) return;
    if (this.#client.socket.destroyed) {
      exchange.errorCode = 'client_left';
      return;
    }
    const failure = { cause, wasSent, method: 'GET', host: target.host };
    const { reply, detail, isRetryable } = judgeFailure(failure, retry.causes);
    exchange.errorDetail = detail;
    if (isRetryable && mayTryAgain(this.#exchange, this.#tried, this.#parts)) {
      exchange.noteFailover(reply.code);
      this.#next();
    } else this.#refuse(reply);
  }

  /** Called by timers and sockets, too: nothing that goes wrong leaves it. */
  #next(): void {
    if (this.#client.socket.destroyed || this.#givenUp.signal.aborted) return;
    try {
      const lease = this.#parts.leases.take(nextLease(this.#exchange, this.#tried));
      if ('credentialId' in lease) this.#try(lease);
      else this.#waitOrEnd(lease);
    } catch (cause) {
      this.#exchange.errorDetail = messageOf(cause);
      this.#release();
      this.#refuse(INTERNAL_ERROR);
    }
  }

  #waitOrEnd(noLease: NoLease): void {
    const now = Date.now();
    const waitMs = leaseWait(this.#exchange, noLease.retryAt, this.#parts.retry, now);
    if (waitMs === null) {
      const { error, headers } = noLeaseError(noLease, now);
      this.#refuse(error, headers);
    } else setTimeout(() => this.#next(), waitMs);
  }

  #try(lease: Lease): void {
    const { pipeline, target, openTimeoutMs } = this.#parts;
    const { socket, head } = this.#client;
    const exchange = this.#exchange;
    const { request } = exchange;
    this.#lease = lease;
    this.#tried.push(lease.credentialId);
    exchange.beginAttempt(lease.name);
    request.url = `${exchange.path}${exchange.query}`;
    request.headers = upgradeHeaders(request, lease, target);
    const ahead = exchange.attempts === 1 ? head : Buffer.alloc(0);
    const { signal } = this.#givenUp;
    pipeline.forwardUpgrade({ request, socket, head: ahead, openTimeoutMs, signal, listener: this });
  }

  #judge(answer: IncomingMessage): { readonly isRetryable: boolean } {
    const status = answer.statusCode ?? 502;
    this.#exchange.upstreamStatus = status;
    const verdict = judgeAnswer(status, answer.rawHeaders, Date.now(), this.#parts.retry.causes);
    if (this.#lease !== null) this.#parts.leases.settle(this.#lease, status, verdict);
    return verdict;
  }

  #tell(answer: IncomingMessage): void {
    const { id } = this.#exchange;
    this.#stopWatching();
    const theirs = answer.headers['x-request-id'];
    if (theirs !== undefined) answer.headers['x-upstream-request-id'] = theirs;
    answer.headers['x-request-id'] = id;
    this.#exchange.firstByteAt = performance.now();
    this.#client.onAnswered(answer.statusCode ?? 502);
  }

  #refuse(error: ErrorReply, headers: readonly string[] = []): void {
    this.#stopWatching();
    this.#client.refuse(error, headers);
  }

  #release(): void {
    if (this.#lease !== null) this.#parts.leases.release(this.#lease);
  }
}

/**
 * Destroys a client's socket when it comes to its end while nobody reads it; what it has sent ahead stays to be read.
 * @returns what ends the watch, before somebody reads
 */
function watchForEnd(socket: Socket): () => void {
  const onReadable = (): void => {
    if (socket.readableLength === 0) socket.read();
  };
  const onEnd = (): void => void socket.destroy();
  socket.on('readable', onReadable).on('end', onEnd);
  return () => socket.off('readable', onReadable).off('end', onEnd);
}

/** Only what belongs to the WebSocket handshake crosses of the hop-by-hop headers. */
function upgradeHeaders(request: IncomingMessage, lease: Lease, target: Target): IncomingMessage['headers'] {
  const headers: Record<string, string | string[]> = {};
  const flat = headersForUpstream(request, []);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] ?? '').toLowerCase();
    const value = flat[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return {
    ...headers,
    host: target.host,
    connection: 'Upgrade',
    upgrade: 'websocket',
    authorization: lease.authorization,
  };
}
