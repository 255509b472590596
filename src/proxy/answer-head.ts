// The head of an answer: its status line, its headers, and how its body is framed (RFC 9112). Strict, see answer-parser.ts.
import { isFieldName, isNamed } from './header-rules.ts';

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

/** Odd characters in the reason do no harm: whoever sends it on leaves them out. */
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: ([^\r\n]*))?$/;
/** RFC 9110 section 5.5: control characters, among them those that end lines, but not as RFC 9112 has them. */
const NOT_IN_HEAD = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?:^|[^\r])\n/;
const LINE_END = '\r\n';
const LENGTH = /^\d{1,15}$/;

/** One that has been read. */
export interface ReadHead extends AnswerHead {
  /** HTTP/1.1: the connection goes on unless told otherwise. */
  readonly isPersistent: boolean;
}

/**
 * @param text all of it, without the empty line
 * @throws AnswerError
 */
export function readAnswerHead(text: string): ReadHead {
  const lineEnd = text.indexOf(LINE_END);
  const end = lineEnd < 0 ? text.length : lineEnd;
  const status = STATUS_LINE.exec(text.slice(0, end));
  if (status === null) throw new AnswerError('HPE_INVALID_CONSTANT', 'no status line');
  const [, minor, code, statusText = ''] = status;
  const headers = headersIn(text, end);
  return { status: Number(code), statusText, headers, isPersistent: minor === '1' };
}

/** @throws AnswerError when a trailer is no header */
export function checkTrailer(line: string): void {
  headersIn(`${LINE_END}${line}`, 0);
}

/**
 * @param from where the end of the line before the first header is, if there is any header
 * @throws AnswerError when a line is no header, or is folded (RFC 9112 section 5.2)
 */
function headersIn(text: string, from: number): string[] {
  if (NOT_IN_HEAD.test(from === 0 ? text : text.slice(from)))
    throw new AnswerError('HPE_INVALID_HEADER_TOKEN', 'control characters in the headers');
  const headers: string[] = [];
  for (let at = from; at < text.length; ) {
    const begin = at + LINE_END.length;
    const next = text.indexOf(LINE_END, begin);
    at = next < 0 ? text.length : next;
    const colon = text.indexOf(':', begin);
    const name = colon < 0 || colon > at ? '' : text.slice(begin, colon);
    if (!isFieldName(name)) throw new AnswerError('HPE_INVALID_HEADER_TOKEN', 'a header without a name');
    headers.push(name, withoutSpace(text.slice(colon + 1, at)));
  }
  return headers;
}

/** RFC 9110 section 5.5 strips spaces and tabs; `trim` would strip more, A0 too, which ends many letters in UTF-8. */
function withoutSpace(value: string): string {
  let [from, to] = [0, value.length];
  while (from < to && isSpace(value.charCodeAt(from))) from += 1;
  while (to > from && isSpace(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** How a body is framed. */
export interface Framing {
  readonly isChunked: boolean;
  /** Null when it is not told. */
  readonly length: number | null;
  /** What Connection says; undefined when nothing. */
  readonly keepsAlive: boolean | undefined;
}

/** RFC 9112 section 6.3. @throws AnswerError when it can be read in two ways */
export function framingOf(headers: readonly string[]): Framing {
  let isChunked = false;
  let length: number | null = null;
  let keepsAlive: boolean | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    // Only the three whose lengths these are are looked at more closely.
    if (name.length === 14 && isNamed(name, 'Content-Length', 'content-length')) {
      if (length !== null || !LENGTH.test(value))
        throw new AnswerError('HPE_INVALID_CONTENT_LENGTH', 'a length that is none, or two');
      length = Number(value);
    } else if (name.length === 17 && isNamed(name, 'Transfer-Encoding', 'transfer-encoding')) {
      if (isChunked || value.toLowerCase() !== 'chunked')
        throw new AnswerError('HPE_INVALID_TRANSFER_ENCODING', 'a transfer coding other than chunked');
      isChunked = true;
    } else if (name.length === 10 && isNamed(name, 'Connection', 'connection')) {
      keepsAlive = connectionSays(value, keepsAlive);
    }
  }
  if (isChunked && length !== null)
    throw new AnswerError('HPE_UNEXPECTED_CONTENT_LENGTH', 'a length and chunks');
  return { isChunked, length, keepsAlive };
}

function connectionSays(value: string, before: boolean | undefined): boolean | undefined {
  if (value === 'keep-alive') return before ?? true;
  const options = value.toLowerCase().split(',');
  if (before === false || options.some((option) => option.trim() === 'close')) return false;
  return options.some((option) => option.trim() === 'keep-alive') ? true : before;
}
