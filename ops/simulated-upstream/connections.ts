// The TCP connections clients hold to the upstream: counting them, and ending one in every impolite way.
import type { Socket } from 'node:net';
import type { Changes } from './changes.ts';

export class Connections {
  readonly #changes: Changes;
  /** Raw TCP sockets by peer. Under TLS a request carries the TLS socket, which cannot send an RST itself. */
  readonly #raw = new Map<string, Socket>();
  readonly #uncounted = new Set<string>();
  #total = 0;

  constructor(changes: Changes) {
    this.#changes = changes;
  }

  get open(): number {
    return this.#raw.size - this.#uncounted.size;
  }

  get total(): number {
    return this.#total;
  }

  /** Follows a new TCP connection until it closes. */
  add(socket: Socket): void {
    const peer = peerOf(socket);
    this.#raw.set(peer, socket);
    this.#total += 1;
    socket.once('close', () => {
      this.#raw.delete(peer);
      this.#uncounted.delete(peer);
      this.#changes.announce(null);
    });
    this.#changes.announce(null);
  }

  /** Leaves a connection out of the counts: it talks to /_control and is no part of the traffic. */
  leaveOut(socket: Socket): void {
    const peer = peerOf(socket);
    if (!this.#raw.has(peer) || this.#uncounted.has(peer)) return;
    this.#uncounted.add(peer);
    this.#total -= 1;
    this.#changes.announce(null);
  }

  /** Sends what is already written, then FIN. */
  cut(socket: Socket): void {
    socket.destroySoon();
  }

  /** Sends what is already written, then RST. */
  reset(socket: Socket): void {
    const raw = this.#raw.get(peerOf(socket)) ?? socket;
    socket.write('', () => raw.resetAndDestroy());
  }

  /** Sends an RST at once. */
  resetNow(socket: Socket): void {
    (this.#raw.get(peerOf(socket)) ?? socket).resetAndDestroy();
  }

  destroyAll(): void {
    for (const socket of this.#raw.values()) socket.destroy();
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
