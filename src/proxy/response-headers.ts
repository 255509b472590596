// The headers of the upstream's answer as they go to the client: everything but hop-by-hop headers, with our
// request id in front. They are latin1 (RFC 9110 section 5.5).
import { isCorsHeader } from './cors.ts';
import { isNamed, namedByConnection, responseHeaderRules, withoutHeaders } from './header-rules.ts';
import type { BodyKind } from './usage/usage-reader.ts';

/** What relaying needs to know of an answer's headers. */
export interface AnswerHeaders {
  /** Flat list of names and values for writeHead. */
  readonly flat: string[];
  /** Content-Length; null when there is none. */
  readonly length: number | null;
  /** An event stream that bytes of ours may be added to: no length and no coding was announced. */
  readonly isOpenEventStream: boolean;
  readonly isEventStream: boolean;
  /** Whether the body ends with the connection and not before, so that its end cannot be told from a cut. */
  readonly endsWithConnection: boolean;
  /** What the body is, once it has been decoded. */
  readonly body: BodyKind;
  readonly hasDate: boolean;
  /** Content-Encoding in lower case; null for bytes as they are. */
  readonly coding: string | null;
}

const EVENT_STREAM = /^text\/event-stream\b/i;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
const RULES = responseHeaderRules();

/** What an upstream must not name in Connection (RFC 9110 section 7.6.1); without them the answer would be another. */
const NEVER_OF_CONNECTION = new Set(['content-length', 'date']);

/** The upstream's own x-request-id stays readable under this name, since ours takes its place. */
const UPSTREAM_REQUEST_ID = 'X-Upstream-Request-Id';

/** @param cors our own CORS headers, which take the place of the upstream's; null when CORS is off */
export function headersForClient(
  raw: readonly string[],
  requestId: string,
  cors: readonly string[] | null = null,
): AnswerHeaders {
  const flat: string[] = ['X-Request-Id', requestId, ...(cors ?? [])];
  let named: readonly string[] = [];
  let isEventStream = false;
  let isJson = false;
  let coding: string | null = null;
  let length: number | null = null;
  let isChunked = false;
  let hasDate = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]];
    const fate = RULES.fateOf(name);
    if (fate === 'pass') {
      if (cors !== null && isCorsHeader(name)) continue;
      flat.push(name, value);
      if (name.length === 4) hasDate ||= isNamed(name, 'Date', 'date');
      else if (name.length === 12 && isNamed(name, 'Content-Type', 'content-type')) {
        isEventStream = EVENT_STREAM.test(value);
        isJson = JSON_TYPE.test(value);
      } else if (name.length === 14) {
        if (isNamed(name, 'Content-Length', 'content-length')) length = Number(value);
      } else if (name.length === 16) coding = codingOf(name, value) ?? coding;
    } else if (fate === 'requestId') flat.push(UPSTREAM_REQUEST_ID, value);
    else if (fate === 'connection') named = [...named, ...namedByConnection(value)];
    else if (name.length === 17 && isNamed(name, 'Transfer-Encoding', 'transfer-encoding')) isChunked = true;
  }
  const removed = named.filter((name) => !NEVER_OF_CONNECTION.has(name));
  const kept = removed.length === 0 ? flat : withoutHeaders(flat, removed);
  return {
    flat: isEventStream ? withoutBuffering(kept) : kept,
    length,
    isEventStream,
    endsWithConnection: length === null && !isChunked,
    isOpenEventStream: isEventStream && length === null && coding === null,
    body: bodyKind(isEventStream, isJson),
    hasDate,
    coding,
  };
}

/** Buffering proxies in front of us (nginx) would hold events back otherwise. */
function withoutBuffering(flat: readonly string[]): string[] {
  return [...withoutHeaders(flat, ['x-accel-buffering']), 'X-Accel-Buffering', 'no'];
}

function codingOf(name: string, value: string): string | null {
  const coding = value.trim().toLowerCase();
  return name.toLowerCase() === 'content-encoding' && coding !== 'identity' ? coding : null;
}

function bodyKind(isEventStream: boolean, isJson: boolean): BodyKind {
  if (isEventStream) return 'events';
  return isJson ? 'json' : 'other';
}
