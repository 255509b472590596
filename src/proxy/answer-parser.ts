// Reads answers off a connection of ours to the upstream (RFC 9112): heads, and bodies by length, by chunks or up to
// the end of the connection. Strict: what could be framed in two ways is no answer, and its connection is given up.
// Headers come out as strings, once; that, and one call per piece of body, is what makes it cheap.
import { isFieldName } from './header-rules.ts';

/** Hears what a parser reads; in this order: onHead, onBody..., onEnd. */
export interface AnswerSink {
  onHead(head: AnswerHead): void;
  /** @param chunk to be used, or copied, before this returns */
  onBody(chunk: Buffer): void;
  /** @param isReusable whether the connection is fit for another request */
  onEnd(isReusable: boolean): void;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  /** Flat list of names and values as they came, latin1. */
  readonly headers: readonly string[];
}

/** What came is no answer that can be told apart for sure. */
export class AnswerError extends Error {
  /** Named like the faults of llhttp, Node's own parser. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
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
/** Odd characters in the reason do no harm: whoever sends it on leaves them out. */
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: ([^\r\n]*))?$/;
const BEGINNING = 'HTTP/1.';
/** RFC 9110 section 5.5: control characters, among them those that end lines, but not as RFC 9112 has them. */
const NOT_IN_HEAD = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?:^|[^\r])\n/;
const CHUNK_SIZE = /^([\da-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i;
const LENGTH = /^\d{1,15}$/;

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
    const lines = text.slice(0, end).split('\r\n');
    const statusLine = lines[0] ?? '';
    const status = STATUS_LINE.exec(statusLine);
    if (status === null) throw new AnswerError('HPE_INVALID_CONSTANT', 'no status line');
    const [, minor, code, statusText = ''] = status;
    const headers = headersIn(text.slice(statusLine.length, end), lines, 1);
    this.#begin({ status: Number(code), statusText, headers }, minor === '1');
    return at + end + HEAD_END.length;
  }

  #begin(head: AnswerHead, isPersistent: boolean): void {
    const { status } = head;
    if (status < 100 || status === 101)
      throw new AnswerError('HPE_INVALID_STATUS', `status ${status} that nobody has asked for`);
    // Interim answers (100 Continue, 103 Early Hints): the one that counts is still to come.
    if (status < 200) return;
    const framing = framingOf(head.headers);
    this.#isReusable = framing.keepsAlive ?? isPersistent;
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
    const end = chunk.indexOf(LINE_END, at);
    if ((end < 0 ? chunk.length : end) - at > LONGEST_LINE_BYTES)
      throw new AnswerError('HPE_INVALID_CHUNK_SIZE', 'a line that is too long');
    if (end < 0) return at;
    this.#takeLine(chunk.toString('latin1', at, end));
    return end + LINE_END.length;
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
    headersIn(line, [line], 0);
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

/**
 * @param head what is to be looked at, with its line ends
 * @param lines the same without; those before `from` are something else
 * @throws AnswerError when a line is no header, or is folded (RFC 9112 section 5.2)
 */
function headersIn(head: string, lines: readonly string[], from: number): string[] {
  if (NOT_IN_HEAD.test(head))
    throw new AnswerError('HPE_INVALID_HEADER_TOKEN', 'control characters in the headers');
  const headers: string[] = [];
  for (let i = from; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    if (!isFieldName(name)) throw new AnswerError('HPE_INVALID_HEADER_TOKEN', 'a header without a name');
    headers.push(name, line.slice(colon + 1).trim());
  }
  return headers;
}

interface Framing {
  readonly isChunked: boolean;
  /** Null when it is not told. */
  readonly length: number | null;
  /** What Connection says; undefined when nothing. */
  readonly keepsAlive: boolean | undefined;
}

/** RFC 9112 section 6.3. @throws AnswerError when it can be read in two ways */
function framingOf(headers: readonly string[]): Framing {
  let isChunked = false;
  let length: number | null = null;
  let keepsAlive: boolean | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    // Only the three whose lengths these are are looked at more closely.
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (length !== null || !LENGTH.test(value))
        throw new AnswerError('HPE_INVALID_CONTENT_LENGTH', 'a length that is none, or two');
      length = Number(value);
    } else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (isChunked || value.toLowerCase() !== 'chunked')
        throw new AnswerError('HPE_INVALID_TRANSFER_ENCODING', 'a transfer coding other than chunked');
      isChunked = true;
    } else if (name.length === 10 && name.toLowerCase() === 'connection') {
      keepsAlive = connectionSays(value, keepsAlive);
    }
  }
  if (isChunked && length !== null)
    throw new AnswerError('HPE_UNEXPECTED_CONTENT_LENGTH', 'a length and chunks');
  return { isChunked, length, keepsAlive };
}

function connectionSays(value: string, before: boolean | undefined): boolean | undefined {
  const options = value.toLowerCase().split(',');
  if (before === false || options.some((option) => option.trim() === 'close')) return false;
  return options.some((option) => option.trim() === 'keep-alive') ? true : before;
}
