// Writes the upstream's answer to the client as it comes: same status, same bytes, within the turn of the loop, no faster
// than the client reads. When the upstream breaks off, the client is told so in a way it cannot mistake for the end.
import type { AnswerBatch, ReadyAnswer } from './answer-batch.ts';
import { copyOf, giveBack } from './copies.ts';
import type { ErrorReply } from './dialect.ts';
import { EventBoundary, errorEvent, KEEP_ALIVE_COMMENT, StreamEnd } from './event-stream.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { withoutHeaders } from './header-rules.ts';
import { JsonEnd } from './json-end.ts';
import { headersForClient } from './response-headers.ts';
import { CodedUsage } from './usage/coded-usage.ts';
import { UsageReader } from './usage/usage-reader.ts';
import type { AnswerStart, WholeAnswers } from './whole-answer.ts';

/** What every answer is relayed with. */
export interface RelayParts {
  /** Silence after which a comment is written between two events; 0 is never. */
  readonly streamKeepAliveMs: number;
  readonly metrics: ExchangeMetrics;
  readonly answers: AnswerBatch;
  readonly wholeAnswers: WholeAnswers;
}

/** RFC 9112 section 4; Node refuses to send anything else. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Up to this much goes out as text, in one piece with the head; latin1 is text that keeps every byte. */
const ONE_WRITE_BYTES = 16 * 1024;
const LAST_CHUNK = '0\r\n\r\n';
/** A client that does not read an error event within this time has lost interest. */
const LAST_WORDS_MS = 10_000;

/** The answer of one attempt on its way to the client. */
export class Relay implements ReadyAnswer {
  readonly #exchange: Exchange;
  readonly #parts: RelayParts;
  readonly #onDrained: () => void;
  /** Null unless the answer is an event stream that may be written into. */
  #events: EventBoundary | null = null;
  /** Of a body that only the end of the upstream's connection ends, where it shows by itself whether it is whole. */
  #bodyEnd: StreamEnd | JsonEnd | null = null;
  /** The body goes out in chunks (RFC 9112 section 7.1), framed here: Node takes four writes for each. */
  #isChunked = false;
  /** Framed chunks that came in together, or a whole small body, to go out together. */
  #text = '';
  #hasWritten = false;
  /** Whether something has been written since the last `flush` that is better gone at once. */
  #isBulk = false;
  /** Whether its socket is corked until the batch goes out. */
  #isCorked = false;
  #isEnded = false;
  #isBehind = false;
  #isWaiting = false;
  #lastWriteAt = 0;
  /** Of a body that is small enough to go out in one piece with its head, once it has come whole. */
  #length = -1;
  /** The head until it is written: of an answer of that length, as long as the body may still come along with it. */
  #start: AnswerStart | null = null;

  /** @param onDrained called when the client has read what was held back */
  constructor(exchange: Exchange, parts: RelayParts, onDrained: () => void) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#onDrained = onDrained;
  }

  /** The head; it goes out with the first bytes of the body when these came along with it, else with `flush`. */
  begin(status: number, headers: readonly string[], statusText: string): void {
    const { id, method, path, cors } = this.#exchange;
    const answer = headersForClient(headers, id, cors);
    const { flat, length, isEventStream, isOpenEventStream, body, coding, hasDate } = answer;
    if (isOpenEventStream && method !== 'HEAD') {
      this.#events = new EventBoundary();
      if (answer.endsWithConnection && status === 200) this.#bodyEnd = new StreamEnd(path, this.#events);
    } else if (answer.endsWithConnection && body === 'json' && coding === null) this.#bodyEnd = new JsonEnd();
    if (isEventStream && method !== 'HEAD') this.#parts.metrics.onStreamBegun(this.#exchange);
    // What a GET brings back may have been counted when it was made.
    if (body !== 'other' && status === 200 && method === 'POST') {
      this.#exchange.usage = coding === null ? new UsageReader(body) : new CodedUsage(body, coding);
    }
    this.#lastWriteAt = performance.now();
    this.#exchange.firstByteAt = this.#lastWriteAt;
    // RFC 9110 section 8.6: a client might wait for what such a length promises.
    const sent = status === 204 ? withoutHeaders(flat, ['content-length']) : flat;
    const reason = REASON_PHRASE.test(statusText) ? statusText : '';
    this.#start = { status, statusText: reason, headers: sent, hasDate };
    if (length !== null && length <= ONE_WRITE_BYTES) this.#length = length;
    else this.#writeHead();
  }

  /** What comes is not a whole small body: node writes the head. */
  #writeHead(): void {
    if (this.#start === null) return;
    const { status, statusText, headers } = this.#start;
    const { response } = this.#exchange;
    this.#start = null;
    response.writeHead(status, statusText, headers);
    this.#isChunked = response.chunkedEncoding;
    response.chunkedEncoding = false;
  }

  /** @param chunk is used or copied before this returns */
  write(chunk: Buffer): void {
    const exchange = this.#exchange;
    const isWhole = !this.#hasWritten && chunk.length === this.#length;
    this.#hasWritten = true;
    if (!isWhole) this.#writeHead();
    exchange.bytesOut += chunk.length;
    exchange.usage?.push(chunk);
    this.#bodyEnd?.push(chunk);
    if (this.#events !== null) {
      this.#events.push(chunk);
      this.#lastWriteAt = performance.now();
    }
    this.#send(chunk, isWhole);
  }

  /**
   * What came in together goes out.
   * @returns false when the client is behind: hold the upstream back until `onDrained`
   */
  flush(): boolean {
    const { response } = this.#exchange;
    this.#writeHead();
    if (this.#isBulk) this.#isBulk = false;
    else this.#cork();
    // Node's flushHeaders would write the latin1 of a head as UTF-8.
    if (!this.#hasWritten && !response.writableEnded) response.write('', 'latin1');
    this.#flushText();
    // Node would hold it back until this turn is over.
    if (!this.#isCorked) response.socket?.uncork();
    // A comment between two events may have found it behind, and nobody has listened since.
    if (!response.writableNeedDrain) this.#isBehind = false;
    if (!this.#isBehind) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      response.once('drain', () => {
        this.#isWaiting = false;
        this.#isBehind = false;
        this.#onDrained();
      });
    }
    return false;
  }

  #send(chunk: Buffer, isWhole: boolean): void {
    const { response } = this.#exchange;
    if (isWhole || (this.#isChunked && chunk.length <= ONE_WRITE_BYTES)) {
      this.#addText(chunk.toString('latin1'));
    } else {
      this.#isBulk = true;
      this.#flushText();
      if (this.#isChunked) response.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      const copy = copyOf(chunk);
      this.#isBehind = !response.write(copy, () => giveBack(copy));
      if (this.#isChunked) this.#text = '\r\n';
    }
  }

  /** @param text latin1 */
  #addText(text: string): void {
    this.#text += this.#isChunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
  }

  #flushText(onSent?: () => void): void {
    if (this.#text === '') return;
    this.#isBehind = !this.#exchange.response.write(this.#text, 'latin1', onSent);
    this.#text = '';
  }

  /** Whether the upstream has ended its connection where the body does not end. */
  get isCutShort(): boolean {
    return this.#bodyEnd?.isReached === false;
  }

  /** Whether all of it is here and the last of it has not been written yet, for a moment. */
  get isLeaving(): boolean {
    return this.#isEnded && !this.#exchange.response.writableEnded;
  }

  end(): void {
    if (this.#isEnded || this.#exchange.response.writableEnded) return;
    this.#isEnded = true;
    if (this.#isChunked) this.#text += LAST_CHUNK;
    if (this.#isBulk) this.goOut();
    else if (!this.#isCorked) this.#parts.answers.add(this);
  }

  goOut(): void {
    const { response } = this.#exchange;
    const { socket } = response;
    if (this.#start !== null && !response.destroyed) {
      const isSent = this.#text !== '' && this.#parts.wholeAnswers.send(response, this.#start, this.#text);
      if (isSent) return;
      this.#writeHead();
    }
    // Corked by us, it is not corked by Node, which would need a tick of its own to undo that.
    if (this.#isEnded && socket?.writableCorked === 0) socket.cork();
    this.#isCorked = false;
    if (response.destroyed) return;
    if (this.#isEnded) this.#flushText();
    // Else Node ends with an empty write, and what is still held back goes out with it as a vector.
    socket?.uncork();
    if (this.#isEnded) response.end();
  }

  #cork(): void {
    const { socket } = this.#exchange.response;
    if (this.#isCorked || socket === null) return;
    this.#isCorked = true;
    socket.cork();
    this.#parts.answers.add(this);
  }

  /** Breaks a long silence on an event stream, if it stands between two events. */
  keepAlive(now: number): void {
    const { streamKeepAliveMs: keepAliveMs } = this.#parts;
    if (this.#isEnded || this.#events === null || keepAliveMs === 0 || now - this.#lastWriteAt < keepAliveMs)
      return;
    if (!this.#events.isBetweenEvents || this.#isWaiting) return;
    this.#lastWriteAt = now;
    this.#addText(KEEP_ALIVE_COMMENT);
    this.#flushText();
  }

  /** The upstream broke off. */
  breakOff(error: ErrorReply): void {
    const { response, request, dialect } = this.#exchange;
    const { socket } = response;
    if (socket === null || response.destroyed) return;
    // Where all of it has been written and is not being read, Node would make an error of another word.
    if (this.#events !== null && !response.writableEnded) {
      // Only once it is out: newer Node holds written chunks back to the next turn. No last chunk follows: to HTTP,
      // too, the answer is incomplete.
      const words = Buffer.from(this.#events.closing + errorEvent(dialect, error)).toString('latin1');
      this.#addText(words);
      this.#flushText(() => socket.destroySoon());
      setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref();
    } else if (request.httpVersionMinor === 0) {
      // To HTTP/1.0 a plain close would be the regular end of a body. TLS tells by itself that this is none, and Node
      // has no reset for it (nodejs/node issue 49484).
      if ('encrypted' in socket) socket.destroy();
      else socket.resetAndDestroy();
    } else response.destroy();
  }
}
