// The headers of the upstream's answer as they go to the client: everything but hop-by-hop headers, with our
// request id in front. undici hands them over as raw bytes, which are latin1 on the wire (RFC 9110 section 5.5).
import { isCorsHeader } from './cors.ts';
import { namedByConnection, responseHeaderRules, withoutHeaders } from './header-rules.ts';

/** What relaying needs to know of an answer's headers. */
export interface AnswerHeaders {
  /** Flat list of names and values for writeHead. */
  readonly flat: readonly string[];
  /** An event stream whose length and coding leave room for events of ours. */
  readonly isOpenEventStream: boolean;
}

const RULES = responseHeaderRules();

/** The upstream's own x-request-id stays readable under this name, since ours takes its place. */
const UPSTREAM_REQUEST_ID = 'X-Upstream-Request-Id';

/** @param cors our own CORS headers, which take the place of the upstream's; null when CORS is off */
export function headersForClient(
  raw: readonly Buffer[],
  requestId: string,
  cors: readonly string[] | null = null,
): AnswerHeaders {
  const flat: string[] = ['X-Request-Id', requestId, ...(cors ?? [])];
  let named: readonly string[] = [];
  let isEventStream = false;
  let isSealed = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = latin1(raw[i]);
    const value = latin1(raw[i + 1]);
    const fate = RULES.fateOf(name);
    if (fate === 'pass') {
      if (cors !== null && isCorsHeader(name)) continue;
      flat.push(name, value);
      if (name.length === 12 && isContentType(name) && /^text\/event-stream\b/i.test(value))
        isEventStream = true;
      else if (name.length === 14 || name.length === 16) isSealed ||= seals(name, value);
    } else if (fate === 'requestId') flat.push(UPSTREAM_REQUEST_ID, value);
    else if (fate === 'connection') named = [...named, ...namedByConnection(value)];
  }
  const kept = named.length === 0 ? flat : withoutHeaders(flat, named);
  return {
    flat: isEventStream ? withoutBuffering(kept) : kept,
    isOpenEventStream: isEventStream && !isSealed,
  };
}

/** Buffering proxies in front of us (nginx) would hold events back otherwise. */
function withoutBuffering(flat: readonly string[]): string[] {
  return [...withoutHeaders(flat, ['x-accel-buffering']), 'X-Accel-Buffering', 'no'];
}

/** A length or a coding that was announced: bytes of ours would break it. */
function seals(name: string, value: string): boolean {
  const plain = name.toLowerCase();
  return plain === 'content-length' || (plain === 'content-encoding' && value.toLowerCase() !== 'identity');
}

function isContentType(name: string): boolean {
  return name === 'content-type' || name === 'Content-Type' || name.toLowerCase() === 'content-type';
}

function latin1(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : bytes.toString('latin1');
}
