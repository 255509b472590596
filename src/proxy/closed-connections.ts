// Tells that clients' connections have closed, a few at a time: whoever deals out new ones wants to know who has fewest.
import type { Socket } from 'node:net';

/** So that clients with a connection for each request do not make a message of each. */
const TOGETHER_MS = 20;

/** Counts the ends of the connections it is shown. */
export class ClosedConnections {
  readonly #tell: (count: number) => void;
  #count = 0;

  /** @param tell is given how many have closed since it was last called */
  constructor(tell: (count: number) => void) {
    this.#tell = tell;
  }

  watch(socket: Socket): void {
    socket.once('close', () => this.#onClose());
  }

  #onClose(): void {
    this.#count += 1;
    if (this.#count > 1) return;
    setTimeout(() => {
      const count = this.#count;
      this.#count = 0;
      this.#tell(count);
    }, TOGETHER_MS).unref();
  }
}
