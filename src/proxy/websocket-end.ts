// Ends an open WebSocket in the name of the upstream: a Close frame between two frames of its own, so that the client
// hears why. Whatever else crosses is http-proxy's business.
import type { Duplex } from 'node:stream';
import { FrameBoundaries } from './websocket-frames.ts';

/** Close, two bytes of payload: 1001, going away (RFC 6455 sections 5.5.1 and 7.4.1). */
const GOING_AWAY = Buffer.from([0x88, 2, 0x03, 0xe9]);

export class OpenWebSocket {
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  readonly #frames: FrameBoundaries = new FrameBoundaries();
  #isEnding = false;
  #hasEnded = false;

  /** @param upstream is about to be piped to the client */
  constructor(client: Duplex, upstream: Duplex) {
    this.#client = client;
    this.#upstream = upstream;
    upstream.on('data', (bytes: Buffer) => {
      this.#frames.push(bytes);
      // Once these have been handed to the client, too.
      if (this.#isEnding) queueMicrotask(() => this.#endBetweenFrames());
    });
  }

  /** Ends it as soon as the frame under way is through; what the client still says goes to the upstream. */
  end(): void {
    this.#isEnding = true;
    this.#endBetweenFrames();
  }

  #endBetweenFrames(): void {
    if (this.#hasEnded || !this.#frames.isBetweenFrames) return;
    this.#hasEnded = true;
    this.#upstream.unpipe(this.#client);
    this.#upstream.resume();
    if (this.#frames.hasClosed) this.#client.end();
    else this.#client.end(GOING_AWAY);
  }
}
