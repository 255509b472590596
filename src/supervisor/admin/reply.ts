// Answers of the admin listener. They are of the moment, and nobody's but the asker's.
import type { ServerResponse } from 'node:http';

/** Sends a whole body of a given type. */
export function replyBody(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

/** Sends one line. */
export function replyText(response: ServerResponse, status: number, line: string): void {
  replyBody(response, status, 'text/plain; charset=utf-8', `${line}\n`);
}
