// WebSocket upgrades (/v1/realtime) on their way in: what a request goes through at the door, an upgrade does too.
// Its way to the upstream is upgrade-forwarding.ts's.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import type { AccessLog } from './access-log.ts';
import type { Admission } from './admission.ts';
import type { ExchangeEnds } from './client-connection.ts';
import type { Cors } from './cors.ts';
import { type ErrorReply, errorOnWire } from './dialect.ts';
import { Exchange } from './exchange.ts';
import { modelsOfQuery } from './named-models.ts';
import { INTERNAL_ERROR, ORIGIN_REFUSED, RETRY_SOON } from './protocol-errors.ts';
import type { Refusal } from './refusal.ts';
import { checkUpgrade } from './request-head.ts';
import { readRequestTarget, unreadablePath } from './target.ts';
import { endGently } from './unread-body.ts';
import { UpgradeForwarding, type UpgradeParts } from './upgrade-forwarding.ts';

export interface WebSocketParts extends UpgradeParts {
  readonly admission: Admission;
  readonly cors: Cors;
  /** Why an upgrade on this connection cannot be worked on now; null when it can. */
  readonly overload: (socket: Socket) => ErrorReply | null;
  readonly accessLog: AccessLog;
}

interface Upgrade {
  readonly exchange: Exchange;
  readonly socket: Socket;
  /** What the client was told; null before that. */
  status: number | null;
  /** On its way to the upstream, or open; null before that. */
  forwarding: UpgradeForwarding | null;
  /** We have ended it while it was open. */
  isCut: boolean;
}

/** Takes upgrades on. */
export class WebSockets {
  readonly #parts: WebSocketParts;

  constructor(parts: WebSocketParts) {
    this.#parts = parts;
  }

  /** @returns how to end it before its time */
  handle(request: IncomingMessage, socket: Socket, head: Buffer): ExchangeEnds {
    const { target, accessLog } = this.#parts;
    socket.on('error', () => socket.destroy());
    const raw = request.url ?? '';
    const path = readRequestTarget(raw, target);
    const known = 'code' in path ? unreadablePath(raw) : path;
    const exchange = new Exchange(request, new ServerResponse(request), known);
    const upgrade: Upgrade = { exchange, socket, status: null, forwarding: null, isCut: false };
    socket.once('close', () => {
      const { status, isCut } = upgrade;
      accessLog.end(exchange, { status, isWhole: status !== null && !isCut });
    });
    const malformed = checkUpgrade(request) ?? ('code' in path ? path : null);
    if (malformed !== null) refuse(upgrade, malformed);
    else this.#guard(upgrade, () => this.#admit(upgrade, head));
    const end = (error: ErrorReply): void => cutOff(upgrade, error);
    return { breakOff: end, cutOff: end };
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
        else if (socket.writable) this.#guard(upgrade, () => this.#forward(upgrade, head));
      });
    }
  }

  /** Nothing that goes wrong in an upgrade leaves it. */
  #guard(upgrade: Upgrade, phase: () => void): void {
    try {
      phase();
    } catch (cause) {
      upgrade.exchange.errorDetail = messageOf(cause);
      refuse(upgrade, INTERNAL_ERROR);
    }
  }

  /** Browsers let every page open a WebSocket and leave it to the server to look at its origin (RFC 6455, 10.2). */
  #mayBeSeenBy({ request: { headers } }: Exchange): boolean {
    return headers.origin === undefined || this.#parts.cors.allows(headers.origin);
  }

  #forward(upgrade: Upgrade, head: Buffer): void {
    const { exchange, socket } = upgrade;
    exchange.model = modelsOfQuery(exchange.query)[0] ?? null;
    const client = {
      socket,
      head,
      onAnswered: (status: number): void => {
        upgrade.status = status;
      },
      refuse: (error: ErrorReply, headers?: readonly string[]): void => refuse(upgrade, error, headers),
    };
    upgrade.forwarding = new UpgradeForwarding(exchange, client, this.#parts);
    upgrade.forwarding.start();
  }
}

function cutOff(upgrade: Upgrade, error: ErrorReply): void {
  const { status, forwarding } = upgrade;
  upgrade.isCut = status === 101;
  // It has been told something else, and the connection ends with that.
  if (status !== null && status !== 101) return;
  if (forwarding === null) refuse(upgrade, error);
  else forwarding.cutOff(error);
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
  const named = ['X-Request-Id', exchange.id, ...headers];
  endGently(socket, errorOnWire(exchange.dialect, reply, named));
}
