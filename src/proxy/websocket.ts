// WebSocket upgrades (/v1/realtime) on their way in: what a request goes through at the door, an upgrade does too.
// Its way to the upstream is upgrade-forwarding.ts's.
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { finishExchange } from './access-log.ts';
import type { Admission } from './admission.ts';
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
  readonly log: Logger;
}

interface Upgrade {
  readonly exchange: Exchange;
  readonly socket: Socket;
  /** What the client was told; null before that. */
  status: number | null;
}

/** Takes upgrades on. */
export class WebSockets {
  readonly #parts: WebSocketParts;

  constructor(parts: WebSocketParts) {
    this.#parts = parts;
  }

  handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { target, log, metrics } = this.#parts;
    socket.on('error', () => socket.destroy());
    const raw = request.url ?? '';
    const path = readRequestTarget(raw, target);
    const known = 'code' in path ? unreadablePath(raw) : path;
    const exchange = new Exchange(request, new ServerResponse(request), known);
    const upgrade: Upgrade = { exchange, socket, status: null };
    socket.once('close', () => {
      finishExchange(exchange, { status: upgrade.status, isWhole: upgrade.status !== null }, log, metrics);
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
    new UpgradeForwarding(exchange, client, this.#parts).start();
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
  const named = ['X-Request-Id', exchange.id, ...headers];
  endGently(socket, errorOnWire(exchange.dialect, reply, named));
}
