// Answers of our own on a response object: JSON, with the request id, never HTML.
import { type ErrorReply, errorBody } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import type { Refusal } from './refusal.ts';
import { closeUnlessBodyComes } from './unread-body.ts';

/** Sends a JSON body; HEAD gets its headers only. */
export function replyJson(
  exchange: Exchange,
  status: number,
  body: string,
  headers: readonly string[] = [],
): void {
  const { response } = exchange;
  beforeReply(exchange);
  exchange.bytesOut = Buffer.byteLength(body);
  response.writeHead(status, [
    'Content-Type',
    'application/json; charset=utf-8',
    'Content-Length',
    String(exchange.bytesOut),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
    ...(exchange.cors ?? []),
    ...headers,
  ]);
  response.end(body);
}

/** Sends a status that has no body. */
export function replyEmpty(exchange: Exchange, status: 204, headers: readonly string[]): void {
  const { response } = exchange;
  beforeReply(exchange);
  response.writeHead(status, ['X-Request-Id', exchange.id, ...(exchange.cors ?? []), ...headers]);
  response.end();
}

function beforeReply(exchange: Exchange): void {
  const { request, response, body } = exchange;
  // A body that is kept is here.
  if (body.type !== 'kept') closeUnlessBodyComes(request, response);
  exchange.firstByteAt ??= performance.now();
}

/** Ends an exchange with an error in the dialect of its path. */
export function replyError(exchange: Exchange, error: ErrorReply, headers: readonly string[] = []): void {
  exchange.errorCode = error.code;
  replyJson(exchange, error.status, `${errorBody(exchange.dialect, error)}\n`, headers);
}

/** Turns a client away. */
export function replyRefusal(exchange: Exchange, { error, headers, detail }: Refusal): void {
  exchange.errorDetail = detail;
  replyError(exchange, error, headers);
}
