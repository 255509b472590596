// WebSocket upgrades (/v1/realtime) on http-proxy's `ws` path: a leased credential goes in, the client's own secrets
// stay out, and whoever leaves takes the other side along.
import { type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Lease } from '../credentials/pool.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { finishExchange } from './access-log.ts';
import type { Admission } from './admission.ts';
import type { Cors } from './cors.ts';
import { type ErrorReply, errorOnWire } from './dialect.ts';
import { Exchange } from './exchange.ts';
import type { ProxyPipeline } from './http-proxy.ts';
import { judgeAnswer, judgeFailure } from './judge.ts';
import { type Leases, noLeaseError } from './leases.ts';
import { INTERNAL_ERROR, ORIGIN_REFUSED, RETRY_SOON } from './protocol-errors.ts';
import type { Refusal } from './refusal.ts';
import { checkUpgrade } from './request-head.ts';
import { headersForUpstream } from './request-headers.ts';
import { readRequestTarget, type Target, unreadablePath } from './target.ts';
import { endGently } from './unread-body.ts';

export interface WebSocketParts {
  readonly target: Target;
  readonly admission: Admission;
  readonly cors: Cors;
  /** Why an upgrade on this connection cannot be worked on now; null when it can. */
  readonly overload: (socket: Socket) => ErrorReply | null;
  readonly leases: Leases;
  readonly pipeline: ProxyPipeline;
  readonly log: Logger;
  /** How long the upstream may take to accept an upgrade. */
  readonly openTimeoutMs: number;
}

interface Upgrade {
  readonly exchange: Exchange;
  readonly socket: Socket;
  lease: Lease | null;
  /** What the client was told; null before that. */
  status: number | null;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Forwards upgrades. */
export class WebSockets {
  readonly #parts: WebSocketParts;
  readonly #upgrades = new Map<IncomingMessage, Upgrade>();

  constructor(parts: WebSocketParts) {
    this.#parts = parts;
    const { events } = parts.pipeline;
    events.on('proxyReqWs', (outgoing, request) => this.#onOutgoing(outgoing, request));
    events.on('error', (cause, request) => this.#onError(cause, request));
  }

  handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { target, log } = this.#parts;
    socket.on('error', () => socket.destroy());
    const raw = request.url ?? '';
    const path = readRequestTarget(raw, target);
    const known = 'code' in path ? unreadablePath(raw) : path;
    const exchange = new Exchange(request, new ServerResponse(request), known);
    const upgrade: Upgrade = { exchange, socket, lease: null, status: null };
    this.#upgrades.set(request, upgrade);
    socket.once('close', () => {
      this.#upgrades.delete(request);
      finishExchange(exchange, { status: upgrade.status, isWhole: upgrade.status !== null }, log);
    });
    const malformed = checkUpgrade(request) ?? ('code' in path ? path : null);
    if (malformed !== null) refuse(upgrade, malformed);
    else this.#guard(upgrade, () => this.#admit(upgrade, head));
  }

  #admit(upgrade: Upgrade, head: Buffer): void {
    const { admission, overload } = this.#parts;
    const { exchange, socket } = upgrade;
    const excess = overload(socket);
    const refusal = admission.checkAddress(exchange) ?? admission.identify(exchange);
    if (excess !== null) refuse(upgrade, excess, RETRY_SOON);
    else if (refusal !== null) turnAway(upgrade, refusal);
    else if (!this.#mayBeSeenBy(exchange)) refuse(upgrade, ORIGIN_REFUSED);
    else {
      admission.enter(exchange, socket, (later) => {
        if (later !== null) turnAway(upgrade, later);
        else if (!socket.destroyed) this.#guard(upgrade, () => this.#forward(upgrade, head));
      });
    }
  }

  /** Nothing that goes wrong in an upgrade leaves it. */
  #guard(upgrade: Upgrade, phase: () => void): void {
    try {
      phase();
    } catch (cause) {
      upgrade.exchange.errorDetail = messageOf(cause);
      if (upgrade.lease !== null) this.#parts.leases.release(upgrade.lease);
      refuse(upgrade, INTERNAL_ERROR);
    }
  }

  /** Browsers let every page open a WebSocket and leave it to the server to look at its origin (RFC 6455, 10.2). */
  #mayBeSeenBy({ request: { headers } }: Exchange): boolean {
    return headers.origin === undefined || this.#parts.cors.allows(headers.origin);
  }

  #forward(upgrade: Upgrade, head: Buffer): void {
    const { leases, pipeline, target } = this.#parts;
    const { exchange, socket } = upgrade;
    const { request } = exchange;
    const lease = leases.take({ model: null, affinityKey: null, excluded: NOBODY });
    if (!('credentialId' in lease)) {
      const { error, headers } = noLeaseError(lease, Date.now());
      refuse(upgrade, error, headers);
      return;
    }
    upgrade.lease = lease;
    exchange.attempts = 1;
    exchange.credentialName = lease.name;
    request.url = `${exchange.path}${exchange.query}`;
    request.headers = upgradeHeaders(request, lease, target);
    pipeline.forwardUpgrade(request, socket, head);
  }

  #onOutgoing(outgoing: ClientRequest, request: IncomingMessage): void {
    const upgrade = this.#upgrades.get(request);
    if (upgrade === undefined) return;
    const { exchange, socket } = upgrade;
    outgoing.setTimeout(this.#parts.openTimeoutMs, () => outgoing.destroy(new Error('upgrade timed out')));
    socket.once('close', () => outgoing.destroy());
    outgoing.once('upgrade', (answer, upstreamSocket) => {
      upstreamSocket.setTimeout(0);
      exchange.firstByteAt = performance.now();
      this.#judge(upgrade, answer);
      upstreamSocket.once('close', () => socket.destroySoon());
      socket.once('close', () => upstreamSocket.destroy());
    });
    // First in line: http-proxy writes these headers to the client, then the body without its chunk framing.
    outgoing.prependListener('response', (answer) => {
      delete answer.headers['transfer-encoding'];
      answer.headers.connection = 'close';
      exchange.firstByteAt = performance.now();
      this.#judge(upgrade, answer);
    });
  }

  #judge(upgrade: Upgrade, answer: IncomingMessage): void {
    const { exchange, lease } = upgrade;
    const status = answer.statusCode ?? 502;
    upgrade.status = status;
    if (status >= 400) exchange.errorCode = 'upgrade_refused';
    if (lease === null) return;
    const headers = answer.rawHeaders.map((text) => Buffer.from(text, 'latin1'));
    this.#parts.leases.settle(lease, status, judgeAnswer(status, headers, Date.now()));
  }

  #onError(cause: Error, request: IncomingMessage): void {
    const upgrade = this.#upgrades.get(request);
    if (upgrade === undefined) return;
    const { exchange, socket, lease } = upgrade;
    if (exchange.firstByteAt !== null) {
      socket.destroy();
      return;
    }
    if (lease !== null) this.#parts.leases.release(lease);
    const { reply, detail } = judgeFailure({
      cause,
      wasSent: false,
      method: 'GET',
      host: this.#parts.target.host,
    });
    exchange.errorDetail = detail;
    if (socket.destroyed) exchange.errorCode = 'client_left';
    else refuse(upgrade, reply);
  }
}

function turnAway(upgrade: Upgrade, { error, headers, detail }: Refusal): void {
  upgrade.exchange.errorDetail = detail;
  refuse(upgrade, error, headers);
}

/** @param headers flat list of names and values */
function refuse(upgrade: Upgrade, reply: ErrorReply, headers: readonly string[] = []): void {
  const { exchange, socket } = upgrade;
  exchange.errorCode = reply.code;
  upgrade.status = reply.status;
  endGently(socket, errorOnWire(exchange.dialect, reply, headers));
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
