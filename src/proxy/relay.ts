// Writes the upstream's answer to the client as it comes: same status, same bytes, each chunk at once, and no faster
// than the client reads.
import type { Exchange } from './exchange.ts';
import { headersForClient } from './response-headers.ts';

/** The answer of one attempt on its way to the client. */
export class Relay {
  readonly #exchange: Exchange;
  readonly #resume: () => void;
  #hasWritten = false;
  #isWaiting = false;

  /** @param resume called when the client has read what was held back */
  constructor(exchange: Exchange, resume: () => void) {
    this.#exchange = exchange;
    this.#resume = resume;
  }

  /** Sends the head; together with the first bytes of the body when these came along with it. */
  begin(status: number, headers: readonly Buffer[], statusText: string): void {
    const { response, id } = this.#exchange;
    const { flat } = headersForClient(headers, id);
    this.#exchange.firstByteAt = performance.now();
    response.writeHead(status, statusText, [...flat]);
    process.nextTick(() => {
      if (!this.#hasWritten && !response.writableEnded) response.flushHeaders();
    });
  }

  /** @returns false when the client is behind: hold the upstream back until `resume` */
  write(chunk: Buffer): boolean {
    const { response } = this.#exchange;
    this.#hasWritten = true;
    this.#exchange.bytesOut += chunk.length;
    if (response.write(chunk)) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      response.once('drain', () => {
        this.#isWaiting = false;
        this.#resume();
      });
    }
    return false;
  }

  end(): void {
    this.#exchange.response.end();
  }

  /** The upstream broke off: the client must not mistake what it has for the whole. */
  breakOff(): void {
    this.#exchange.response.destroy();
  }
}
