// Writes the upstream's answer to the client as it comes: same status, same bytes, each chunk at once, and no faster
// than the client reads. When the upstream breaks off, the client is told so in a way it cannot mistake for the end.
import type { ErrorReply } from './dialect.ts';
import { EventBoundary, errorEvent, KEEP_ALIVE_COMMENT } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { withoutHeaders } from './header-rules.ts';
import { headersForClient } from './response-headers.ts';
import { CodedUsage } from './usage/coded-usage.ts';
import { UsageReader } from './usage/usage-reader.ts';

export interface RelayOptions {
  /** Silence after which a comment is written between two events; 0 is never. */
  readonly keepAliveMs: number;
  readonly metrics: ExchangeMetrics;
  /** Called when the client has read what was held back. */
  readonly onDrained: () => void;
}

/** RFC 9112 section 4; Node refuses to send anything else. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Node joins a head and a body to one write if the body is text; latin1 is text that keeps every byte. */
const ONE_WRITE_BYTES = 16 * 1024;
/** A client that does not read an error event within this time has lost interest. */
const LAST_WORDS_MS = 10_000;

/** The answer of one attempt on its way to the client. */
export class Relay {
  readonly #exchange: Exchange;
  readonly #options: RelayOptions;
  /** Null unless the answer is an event stream that may be written into. */
  #events: EventBoundary | null = null;
  #hasWritten = false;
  #isWaiting = false;
  #lastWriteAt = 0;
  /** Of a body that is small enough to go out in one piece with its head, once it has come whole. */
  #length = -1;

  constructor(exchange: Exchange, options: RelayOptions) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /** Sends the head; together with the first bytes of the body when these came along with it. */
  begin(status: number, headers: readonly string[], statusText: string): void {
    const { response, id, method, cors } = this.#exchange;
    const { flat, length, isEventStream, isOpenEventStream, body, coding } = headersForClient(
      headers,
      id,
      cors,
    );
    if (isOpenEventStream && method !== 'HEAD') this.#events = new EventBoundary();
    if (isEventStream && method !== 'HEAD') this.#options.metrics.onStreamBegun(this.#exchange);
    // What a GET brings back may have been counted when it was made.
    if (body !== 'other' && status === 200 && method === 'POST') {
      this.#exchange.usage = coding === null ? new UsageReader(body) : new CodedUsage(body, coding);
    }
    this.#lastWriteAt = performance.now();
    this.#exchange.firstByteAt = this.#lastWriteAt;
    // RFC 9110 section 8.6: a client might wait for what such a length promises.
    const sent = status === 204 ? withoutHeaders(flat, ['content-length']) : flat;
    if (length !== null && length <= ONE_WRITE_BYTES) this.#length = length;
    response.writeHead(status, REASON_PHRASE.test(statusText) ? statusText : '', sent);
    process.nextTick(flushHead, this);
  }

  /** Nothing of the body came along: the head goes alone. */
  flushHead(): void {
    const { response } = this.#exchange;
    if (!this.#hasWritten && !response.writableEnded) response.flushHeaders();
  }

  /** @returns false when the client is behind: hold the upstream back until `onDrained` */
  write(chunk: Buffer): boolean {
    const { response } = this.#exchange;
    const isWhole = !this.#hasWritten && chunk.length === this.#length;
    this.#hasWritten = true;
    this.#exchange.bytesOut += chunk.length;
    this.#exchange.usage?.push(chunk);
    if (isWhole) {
      response.end(chunk.toString('latin1'), 'latin1');
      return true;
    }
    if (this.#events !== null) {
      this.#events.push(chunk);
      this.#lastWriteAt = performance.now();
    }
    if (response.write(chunk)) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      response.once('drain', () => {
        this.#isWaiting = false;
        this.#options.onDrained();
      });
    }
    return false;
  }

  end(): void {
    const { response } = this.#exchange;
    if (!response.writableEnded) response.end();
  }

  /** Breaks a long silence on an event stream, if it stands between two events. */
  keepAlive(now: number): void {
    const { keepAliveMs } = this.#options;
    if (this.#events === null || keepAliveMs === 0 || now - this.#lastWriteAt < keepAliveMs) return;
    if (!this.#events.isBetweenEvents || this.#isWaiting) return;
    this.#lastWriteAt = now;
    this.#exchange.response.write(KEEP_ALIVE_COMMENT);
  }

  /** The upstream broke off. */
  breakOff(error: ErrorReply): void {
    const { response, request, dialect } = this.#exchange;
    const { socket } = response;
    if (socket === null || response.destroyed) return;
    if (this.#events !== null) {
      // Only once it is out: newer Node holds written chunks back to the next turn. No last chunk follows: to HTTP,
      // too, the answer is incomplete.
      response.write(this.#events.closing + errorEvent(dialect, error), () => socket.destroySoon());
      setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
    } else if (request.httpVersionMinor === 0) {
      // To HTTP/1.0 a plain close would be the regular end of a body.
      socket.resetAndDestroy();
    } else response.destroy();
  }
}

function flushHead(relay: Relay): void {
  relay.flushHead();
}
