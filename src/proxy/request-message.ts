// A request as it goes onto a connection to the upstream: its head as text, and how its body is framed (RFC 9112).
import { isFieldName } from './header-rules.ts';
import type { RequestBody } from './request-body.ts';

/** What goes out. */
export interface RequestMessage {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Flat list of names and values; without Host and framing, which are written here. */
  readonly headers: readonly string[];
  /** Value of the Authorization header; a secret. */
  readonly authorization: string;
  readonly body: RequestBody;
}

/** Something in a request would end a line, or is no HTTP. */
export class RequestInvalidError extends Error {
  readonly code = 'UND_ERR_INVALID_ARG';
}

const NOT_IN_PATH = /[^\x21-\xff]/;
/** RFC 9110 section 5.5. Node's parser has refused it in requests; a header of ours may come from elsewhere. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Methods for which a missing body is worth saying (RFC 9110 section 8.6). */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * The head with its empty line, latin1.
 * @throws RequestInvalidError
 */
export function requestHead(
  { method, path, headers, authorization, body }: RequestMessage,
  host: string,
): string {
  // The authorization is a token of our own making, in base64url.
  if (!isFieldName(method) || NOT_IN_PATH.test(path)) throw new RequestInvalidError('no request line');
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    if (!isFieldName(name) || NOT_IN_VALUE.test(value))
      throw new RequestInvalidError(`the header ${name} cannot be sent`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}authorization: ${authorization}\r\n${framing(method, body)}\r\n`;
}

function framing(method: string, body: RequestBody): string {
  if (body.type === 'stream') {
    return body.length === null ? 'transfer-encoding: chunked\r\n' : `content-length: ${body.length}\r\n`;
  }
  const length = body.type === 'kept' ? body.length : 0;
  return length > 0 || WITH_BODY.has(method) ? `content-length: ${length}\r\n` : '';
}
