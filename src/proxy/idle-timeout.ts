// How long clients may keep connections that have nothing to do (keep-alive timeout). node:http sets a timer of its own
// for that after each answer and takes it back with the next request, and each read and write in between puts it off:
// a fortieth of what a small request costs. Here all connections are looked at about once a second; those that were idle
// since the last look let go of what they keep of their last request.
import type { Socket } from 'node:net';

/** What was seen when it was looked at last; the watch's own. */
export interface IdleState {
  ticks: number;
  bytesRead: number;
}

/** A connection of a client. */
export interface MaybeIdle {
  readonly socket: Socket;
  /** Requests under way or waiting. */
  readonly busy: number;
  /** A request has been answered on it. Before its first one node's own limit for heads ends it. */
  readonly isKept: boolean;
  /** What it sends is not read just now, so nobody knows whether it is idle. */
  readonly isHeldBack: boolean;
  readonly idle: IdleState;
  /** Keeps nothing of its last request any more. */
  letGo(): void;
}

const LONGEST_TICK_MS = 1_000;

/** Closes connections that have been idle for the time-out, at most two ticks later, and has idle ones let go. */
export class IdleTimeout {
  readonly #connections: readonly MaybeIdle[];
  readonly #mostTicks: number;
  readonly #timer: NodeJS.Timeout;

  /**
   * @param connections all that are open, now and later
   * @param timeoutMs 0 for none
   */
  constructor(connections: readonly MaybeIdle[], timeoutMs: number) {
    this.#connections = connections;
    const tickMs = timeoutMs > 0 ? Math.min(LONGEST_TICK_MS, timeoutMs / 4) : LONGEST_TICK_MS;
    this.#mostTicks = timeoutMs > 0 ? Math.ceil(timeoutMs / tickMs) : Number.POSITIVE_INFINITY;
    this.#timer = setInterval(() => this.#tick(), tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    // A loop that was late runs its timers before it reads what has come meanwhile: a turn later it has.
    const overdue = this.#connections.filter((connection) => this.#isOverdue(connection));
    if (overdue.length > 0) setImmediate(closeIdle, overdue);
  }

  #isOverdue(connection: MaybeIdle): boolean {
    const { idle } = connection;
    if (isIdle(connection)) {
      idle.ticks += 1;
      connection.letGo();
    } else {
      idle.ticks = 0;
      idle.bytesRead = connection.socket.bytesRead;
    }
    return idle.ticks > this.#mostTicks;
  }
}

/** Whether it has had nothing to do since it was looked at. */
function isIdle({ socket, busy, isKept, isHeldBack, idle }: MaybeIdle): boolean {
  return isKept && busy === 0 && !isHeldBack && socket.bytesRead === idle.bytesRead;
}

function closeIdle(connections: readonly MaybeIdle[]): void {
  for (const connection of connections) if (isIdle(connection)) connection.socket.destroySoon();
}

/** node:http's timer for a connection comes to nothing: the watch is in its place. */
export function withoutTimer(socket: Socket): void {
  socket.setTimeout = noTimer;
}

function noTimer(this: Socket): Socket {
  return this;
}
