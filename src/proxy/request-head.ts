// What a head must be like for its request to be taken on. Node's parser has refused most of what is wrong before
// (repeated or conflicting Content-Length, obfuscated names, bare line feeds, control characters); this is the rest,
// and what the parser of Node 20.19 still lets pass.
import type { IncomingMessage } from 'node:http';
import type { ErrorReply } from './dialect.ts';
import {
  BAD_FRAMING,
  BAD_UPGRADE,
  EXPECTATION_FAILED,
  MALFORMED,
  NO_HOST,
  TRACE_REFUSED,
  VERSION_NOT_SUPPORTED,
} from './protocol-errors.ts';
import { hasBody } from './request-headers.ts';

/** The first thing that is wrong with a head; null when it is fine. */
export function checkHead(request: IncomingMessage): ErrorReply | null {
  const { httpVersion, method, headers } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return VERSION_NOT_SUPPORTED;
  if (hasNamelessHeader(request)) return MALFORMED;
  if (!hasOneHost(request)) return NO_HOST;
  if (!isFramedPlainly(request)) return BAD_FRAMING;
  if (method === 'TRACE') return TRACE_REFUSED;
  if (headers.expect !== undefined && httpVersion === '1.1' && !expectsContinue(request)) {
    return EXPECTATION_FAILED;
  }
  return null;
}

/** RFC 6455 section 4.2.1; whether the key is a good one is for the upstream to say. */
export function checkUpgrade(request: IncomingMessage): ErrorReply | null {
  const isUpgrade =
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    request.headers['sec-websocket-key'] !== undefined &&
    !hasBody(request);
  return isUpgrade ? checkHead(request) : BAD_UPGRADE;
}

/** Whether the client holds its body back until it is told to go on; in HTTP/1.0 that is to be ignored (RFC 9110 10.1.1). */
export function expectsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.expect?.toLowerCase() === '100-continue';
}

/** The trailers of a body that has come to its end; null when they are fine. RFC 9110 section 6.5.1: no framing in them. */
export function checkTrailers({ rawTrailers }: IncomingMessage): ErrorReply | null {
  for (let i = 0; i < rawTrailers.length; i += 2) {
    const name = rawTrailers[i]?.toLowerCase();
    if (name === '' || name === 'content-length' || name === 'transfer-encoding') return MALFORMED;
  }
  return null;
}

function hasNamelessHeader({ rawHeaders }: IncomingMessage): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i] === '') return true;
  return false;
}

/** RFC 9112 section 3.2: exactly one in HTTP/1.1, at most one before. */
function hasOneHost({ rawHeaders, httpVersion }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}

/**
 * RFC 9112 section 6.1: of other codings we cannot undo any, and one in HTTP/1.0 is taken for faulty framing. Node lets
 * `gzip, chunked` and an empty value pass.
 */
function isFramedPlainly({ headers, httpVersion }: IncomingMessage): boolean {
  const coding = headers['transfer-encoding'];
  return coding === undefined || (httpVersion === '1.1' && coding.toLowerCase() === 'chunked');
}
