// Reads answers off a connection of ours to the upstream (RFC 9112): heads, and bodies by length, by chunks or up to
// the end of the connection. Strict: what could be framed in two ways is no answer, and its connection is given up.
// Headers come out as strings, once; that, and one call per piece of body, is what makes it cheap.
import {
  AnswerError,
  type AnswerHead,
  checkTrailer,
  framingOf,
  type ReadHead,
  readAnswerHead,
} from './answer-head.ts';

/** Hears what a parser reads; in this order: onHead, onBody..., onEnd. */
export interface AnswerSink {
  onHead(head: AnswerHead): void;
  /** @param chunk to be used, or copied, before this returns */
  onBody(chunk: Buffer): void;
  /** @param isReusable whether the connection is fit for another request */
  onEnd(isReusable: boolean): void;
}

type State = 'idle' | 'head' | 'length' | 'untilClose' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer';

/** undici and Node have the same. */
const LONGEST_HEAD_BYTES = 16 * 1024;
/** A chunk's size with its extensions, or a trailer line. */
const LONGEST_LINE_BYTES = 4 * 1024;
const HEAD_END = '\r\n\r\n';
const LINE_END = Buffer.from('\r\n');
const CR = 0x0d;
const LF = 0x0a;
const NOTHING: Buffer = Buffer.alloc(0);
const BEGINNING = 'HTTP/1.';
const CHUNK_SIZE = /^([\da-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
const PLAIN_DIGITS = 6;
const NO_DIGIT = 255;
const HEX_DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX_DIGITS[digit.charCodeAt(0)] = value;
  HEX_DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

/** For one connection: one answer after the other. */
export class AnswerParser {
  readonly #sink: AnswerSink;
  #state: State = 'idle';
  /** Unparsed bytes of a head or a line that has not come whole. */
  #rest: Buffer = NOTHING;
  #isHead = false;
  #isReusable = false;
  /** Of the body, or of the chunk. */
  #missing = 0;
  #trailerBytes = 0;

  constructor(sink: AnswerSink) {
    this.#sink = sink;
  }

  /** An answer is expected from here on. */
  expect(method: string): void {
    this.#state = 'head';
    this.#isHead = method === 'HEAD';
  }

  /**
   * Nothing of these bytes is kept beyond the call: they may lie in memory that the next ones are read into.
   * @throws AnswerError
   */
  push(bytes: Buffer): void {
    const chunk = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = NOTHING;
    let at = 0;
    while (at < chunk.length) {
      const next = this.#step(chunk, at);
      if (next === at) {
        this.#rest = Buffer.from(chunk.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** The upstream has closed its half. @returns whether that ended an answer in order */
  finish(): boolean {
    if (this.#state !== 'untilClose') return false;
    this.#end();
    return true;
  }

  /** @returns where to go on; `at` itself when more has to come first */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'idle':
        throw new AnswerError('HPE_INVALID_CONSTANT', 'bytes that nobody has asked for');
      case 'head':
        return this.#readHead(chunk, at);
      case 'length':
      case 'chunk':
        return this.#readPiece(chunk, at);
      case 'untilClose':
        this.#sink.onBody(part(chunk, at, chunk.length));
        return chunk.length;
      default:
        return this.#readLine(chunk, at);
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    // One text to look in; a search in bytes costs more than that.
    const text = chunk.toString('latin1', at, at + LONGEST_HEAD_BYTES + HEAD_END.length);
    const end = text.indexOf(HEAD_END);
    if (end < 0) {
      if (text.length > LONGEST_HEAD_BYTES)
        throw new AnswerError('UND_ERR_HEADERS_OVERFLOW', 'a head that is too large');
      // Without waiting for the end of what is no head.
      if (!BEGINNING.startsWith(text.slice(0, BEGINNING.length)))
        throw new AnswerError('HPE_INVALID_CONSTANT', 'no status line');
      return at;
    }
    this.#begin(readAnswerHead(text.slice(0, end)));
    return at + end + HEAD_END.length;
  }

  #begin(head: ReadHead): void {
    const { status } = head;
    if (status < 100 || status === 101)
      throw new AnswerError('HPE_INVALID_STATUS', `status ${status} that nobody has asked for`);
    // Interim answers (100 Continue, 103 Early Hints): the one that counts is still to come.
    if (status < 200) return;
    const framing = framingOf(head.headers);
    this.#isReusable = framing.keepsAlive ?? head.isPersistent;
    this.#sink.onHead(head);
    if (this.#isHead || status === 204 || status === 304 || framing.length === 0) this.#end();
    else if (framing.isChunked) this.#state = 'chunkSize';
    else if (framing.length === null) this.#state = 'untilClose';
    else {
      this.#state = 'length';
      this.#missing = framing.length;
    }
  }

  #readPiece(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#missing -= end - at;
    this.#sink.onBody(part(chunk, at, end));
    if (this.#missing === 0) {
      if (this.#state === 'length') this.#end();
      else this.#state = 'chunkEnd';
    }
    return end;
  }

  #readLine(chunk: Buffer, at: number): number {
    // What stands behind every chunk, without making a text of it.
    if (this.#state === 'chunkEnd' && chunk[at] === CR && chunk[at + 1] === LF) {
      this.#state = 'chunkSize';
      return at + LINE_END.length;
    }
    if (this.#state === 'chunkSize') {
      const next = this.#readPlainSize(chunk, at);
      if (next > at) return next;
    }
    const end = chunk.indexOf(LINE_END, at);
    if ((end < 0 ? chunk.length : end) - at > LONGEST_LINE_BYTES)
      throw new AnswerError('HPE_INVALID_CHUNK_SIZE', 'a line that is too long');
    if (end < 0) return at;
    this.#takeLine(chunk.toString('latin1', at, end));
    return end + LINE_END.length;
  }

  /** The size of a chunk as nearly everybody writes it. @returns `at` itself when it is written in another way */
  #readPlainSize(chunk: Buffer, at: number): number {
    let size = 0;
    let place = at;
    for (; place < at + PLAIN_DIGITS; place += 1) {
      const digit = HEX_DIGITS[chunk[place] ?? 0] ?? NO_DIGIT;
      if (digit === NO_DIGIT) break;
      size = size * 16 + digit;
    }
    if (place === at || size === 0 || chunk[place] !== CR || chunk[place + 1] !== LF) return at;
    this.#missing = size;
    this.#state = 'chunk';
    return place + LINE_END.length;
  }

  #takeLine(line: string): void {
    if (this.#state === 'chunkSize') this.#beginChunk(line);
    else if (this.#state === 'chunkEnd') {
      if (line !== '') throw new AnswerError('HPE_STRICT', 'a chunk longer than its size');
      this.#state = 'chunkSize';
    } else if (line === '') this.#end();
    else this.#skipTrailer(line);
  }

  #beginChunk(line: string): void {
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw new AnswerError('HPE_INVALID_CHUNK_SIZE', 'a chunk without a size');
    this.#missing = Number.parseInt(size, 16);
    this.#trailerBytes = 0;
    this.#state = this.#missing === 0 ? 'trailer' : 'chunk';
  }

  /** Trailers are hop-by-hop here: nobody has said that he takes any. */
  #skipTrailer(line: string): void {
    this.#trailerBytes += line.length;
    if (this.#trailerBytes > LONGEST_HEAD_BYTES)
      throw new AnswerError('UND_ERR_HEADERS_OVERFLOW', 'trailers that are too large');
    checkTrailer(line);
  }

  #end(): void {
    const isReusable = this.#isReusable && this.#state !== 'untilClose';
    this.#state = 'idle';
    this.#sink.onEnd(isReusable);
  }
}

/** Of a chunk; itself when it is all of it. */
function part(chunk: Buffer, from: number, to: number): Buffer {
  return from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
}
