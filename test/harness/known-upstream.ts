// An upstream whose answers a test knows byte by byte: event streams that take their time, and echoes of bodies.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Scope } from './flow-proxy.ts';
import { portOf } from './raw-upstream.ts';

/** The whole of the stream at /v1/stream/NAME?events=N: a test compares it with what arrived. */
export function knownStream(name: string, events: number): string {
  return Array.from({ length: events }, (_, index) => knownEvent(name, index)).join('');
}

/** Serves `/v1/stream/NAME?events=N&interval=MS`, echoes what is posted, and answers `ok` to all else. */
export async function startKnownUpstream(scope: Scope): Promise<{ readonly url: string }> {
  const server = createServer((request, response) => void answer(request, response));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server)}/base` };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://upstream');
  const name = /\/stream\/(\w+)$/.exec(pathname)?.[1];
  if (request.method === 'POST') response.end(await text(request));
  else if (name === undefined) response.end('ok');
  else {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const events = Number(searchParams.get('events'));
    for (let index = 0; index < events && !response.destroyed; index += 1) {
      response.write(knownEvent(name, index));
      await pause(Number(searchParams.get('interval')));
    }
    response.end();
  }
}

function knownEvent(name: string, index: number): string {
  return `data: {"stream":"${name}","index":${index},"text":"äöü ${'·'.repeat(index % 40)}"}\n\n`;
}
