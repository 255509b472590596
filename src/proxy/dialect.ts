// Which API a client speaks, told by its path, and how that API words an error.
import { STATUS_CODES } from 'node:http';

export type Dialect = 'openai' | 'anthropic';

/** An error of ours as the client should read it. */
export interface ErrorReply {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  /** For people; never holds a secret. */
  readonly message: string;
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  408: 'invalid_request_error',
  413: 'request_too_large',
  414: 'invalid_request_error',
  417: 'invalid_request_error',
  421: 'invalid_request_error',
  429: 'rate_limit_error',
  431: 'invalid_request_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  505: 'invalid_request_error',
};

/** Anthropic's Messages API lives under /v1/messages; everything else is OpenAI's. */
export function dialectOf(path: string): Dialect {
  return path === '/v1/messages' || path.startsWith('/v1/messages/') ? 'anthropic' : 'openai';
}

/** The JSON body of an error, as the SDKs of that dialect parse it. */
export function errorBody(dialect: Dialect, { status, code, message }: ErrorReply): string {
  const type = ERROR_TYPES[status] ?? 'api_error';
  if (dialect === 'anthropic') return JSON.stringify({ type: 'error', error: { type, message, code } });
  return JSON.stringify({ error: { message, type, param: null, code } });
}

/**
 * The whole error as bytes, for a socket that has no response object.
 * @param headers flat list of names and values
 */
export function errorOnWire(dialect: Dialect, reply: ErrorReply, headers: readonly string[] = []): string {
  const body = errorBody(dialect, reply);
  const lines = [
    `HTTP/1.1 ${reply.status} ${STATUS_CODES[reply.status] ?? 'Error'}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...headerLines(headers),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function headerLines(flat: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) lines.push(`${flat[i]}: ${flat[i + 1]}`);
  return lines;
}
