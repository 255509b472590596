// What a client reads whose message breaks HTTP or one of our bounds: every such error, declared once.
import type { ErrorReply } from './dialect.ts';

/** For what a moment later may well be accepted; the SDKs wait this long and try again. */
export const RETRY_SOON: readonly string[] = ['Retry-After', '1'];

export const MALFORMED: ErrorReply = error(400, 'malformed_request', 'The request is not valid HTTP/1.1.');
/** The client has gone, or has closed its half; `client_left` is what the log counts such exchanges by. */
export const REQUEST_CUT: ErrorReply = error(
  400,
  'client_left',
  'The connection ended in the middle of the request.',
);
export const NO_HOST: ErrorReply = error(
  400,
  'malformed_request',
  'The request has no Host header, or several.',
);
export const BAD_FRAMING: ErrorReply = error(
  400,
  'malformed_request',
  'The request has a Transfer-Encoding other than "chunked", or has one in HTTP/1.0.',
);
export const BAD_UPGRADE: ErrorReply = error(
  400,
  'bad_upgrade',
  'A WebSocket opens with a GET in HTTP/1.1 that has a Sec-WebSocket-Key and no body.',
);
export const VERSION_NOT_SUPPORTED: ErrorReply = error(
  505,
  'http_version_not_supported',
  'This proxy speaks HTTP/1.1 and HTTP/1.0.',
);
export const EXPECTATION_FAILED: ErrorReply = error(
  417,
  'expectation_failed',
  'The one expectation that can be met is "100-continue".',
);
/** The upstream would send the request back as the body of its answer, with our credential in it. */
export const TRACE_REFUSED: ErrorReply = error(405, 'method_not_allowed', 'TRACE is not forwarded.');
export const NOT_OF_LOCAL_ROUTES: ErrorReply = error(
  405,
  'method_not_allowed',
  'flow-proxy answers this path by itself, to GET and HEAD only; it is never forwarded.',
);
export const CONNECT_REFUSED: ErrorReply = error(
  405,
  'connect_not_supported',
  'flow-proxy opens no tunnels. Use http:// URLs of the upstream, or this address as the base URL.',
);

export const HEAD_TOO_LARGE: ErrorReply = error(
  431,
  'headers_too_large',
  'The request line and headers are larger than 32 kB.',
);
export const URL_TOO_LONG: ErrorReply = error(
  414,
  'uri_too_long',
  'The URL is longer than 16384 characters.',
);
export const HEAD_TOO_SLOW: ErrorReply = error(
  408,
  'request_timeout',
  'The head of the request did not arrive in time (FLOW_PROXY_HEADER_TIMEOUT).',
);
export const BODY_TOO_SLOW: ErrorReply = error(
  408,
  'request_timeout',
  'The body of the request did not arrive in time (FLOW_PROXY_BODY_TIMEOUT).',
);
export const TOO_MANY_CONNECTIONS: ErrorReply = error(
  503,
  'too_many_connections',
  'flow-proxy has as many connections as it takes (FLOW_PROXY_MAX_CONNECTIONS).',
);
export const TOO_MANY_IN_FLIGHT: ErrorReply = error(
  503,
  'too_many_requests_in_flight',
  'flow-proxy has as many requests under way as it takes (FLOW_PROXY_MAX_IN_FLIGHT).',
);
export const LOOP_TOO_LATE: ErrorReply = error(
  503,
  'overloaded',
  'flow-proxy is behind with its work; try again in a moment (FLOW_PROXY_MAX_LOOP_DELAY).',
);
export const ENDED_BY_DRAIN: ErrorReply = error(
  503,
  'service_ending',
  'flow-proxy has been restarted or reloaded, and did not wait for this any longer (FLOW_PROXY_DRAIN_TIMEOUT).',
);
export const ORIGIN_REFUSED: ErrorReply = error(
  403,
  'origin_not_allowed',
  'Web pages of this origin may not use this proxy (FLOW_PROXY_CORS_ORIGINS).',
);

export const INTERNAL_ERROR: ErrorReply = error(500, 'internal_error', 'flow-proxy failed on this request.');

export function bodyTooLarge(maxBytes: number): ErrorReply {
  const megabytes = Number((maxBytes / 1024 / 1024).toFixed(2));
  return error(
    413,
    'body_too_large',
    `The request body is larger than ${megabytes} MB (FLOW_PROXY_MAX_BODY_MB).`,
  );
}

function error(status: number, code: string, message: string): ErrorReply {
  return { status, code, message };
}
