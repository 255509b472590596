// Proves that a new worker can serve before it takes the place of another one: a real request, over a real connection,
// through its own server. Clients cannot come in that way, and no other worker can answer in its stead.
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import type { ProxyServer } from './server.ts';

const TIMEOUT_MS = 10_000;
const LOOPBACK = '127.0.0.1';

/** Rejects with the reason when the worker cannot serve. The upstream has no part in it. */
export async function checkSelf(server: ProxyServer): Promise<void> {
  const door = net.createServer((socket) => server.accept(socket));
  // Exclusive: not shared with the other workers.
  door.listen({ port: 0, host: LOOPBACK, exclusive: true });
  await once(door, 'listening');
  try {
    const address = door.address();
    if (address === null || typeof address === 'string') throw new Error('the self-check has no port');
    const answer = await ask(address.port, server.isSecure);
    const body = await text(answer);
    if (answer.statusCode !== 200) throw new Error(`/healthz answers ${answer.statusCode}: ${body}`);
  } finally {
    door.close();
  }
}

function ask(port: number, isSecure: boolean): Promise<IncomingMessage> {
  const options = {
    host: LOOPBACK,
    port,
    path: '/healthz',
    headers: { connection: 'close' },
    agent: false,
    // The certificate names the service as clients know it, not this address.
    rejectUnauthorized: false,
    timeout: TIMEOUT_MS,
  };
  const request = isSecure ? https.request(options) : http.request(options);
  request.once('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
  request.end();
  return new Promise((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
}
