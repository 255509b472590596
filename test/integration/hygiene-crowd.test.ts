// More clients than a worker takes: a clear answer for those beyond, and its health told to whoever asks.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { answersOf, type RecordedProxy, readAnswer, startRecordedProxy } from '../harness/recorded-proxy.ts';
import { OK } from '../harness/recording-upstream.ts';

const MOST_CONNECTIONS = 8;
const MOST_IN_FLIGHT = 3;
/** Connections beyond the bound that are still read from. */
const READ_BEYOND = 64;

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy({
    NUM_WORKERS: 1,
    MAX_CONNECTIONS: MOST_CONNECTIONS,
    MAX_IN_FLIGHT: MOST_IN_FLIGHT,
  });
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(async () => {
  stack.upstream.forget();
  await idle();
});

/** Resolves when every connection of an earlier test has been forgotten. */
async function idle(): Promise<void> {
  await eventually('room for a connection', async () => {
    const { status } = await call(`${stack.proxy.url}/v1/room`).catch(() => ({ status: 0 }));
    return status === 200 ? true : undefined;
  });
  stack.upstream.forget();
}

async function ask(path: string, ...headers: readonly string[]): Promise<RawConnection> {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.writeHead(`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers);
  return connection;
}

test('requests beyond those under way get 503 with Retry-After in their dialect, health is told, and room is made again', async () => {
  const { upstream, proxy } = stack;
  upstream.answer = () => null;
  const held = [];
  for (let count = 1; count <= MOST_IN_FLIGHT; count += 1) {
    held.push(await ask('/v1/held'));
    await upstream.received(count);
  }
  for (const [path, words] of [
    ['/v1/chat/completions', /^\{"error":/],
    ['/v1/messages', /^\{"type":"error","error":\{"type":"overloaded_error"/],
  ] as const) {
    const refused = await call(`${proxy.url}${path}`);
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
    assert.match(refused.text, words);
    assert.match(refused.text, /too_many_requests_in_flight/);
  }
  const upgrade = await ask(
    '/v1/realtime',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  );
  assert.equal((await readAnswer(upgrade)).code, 'too_many_requests_in_flight');
  for (const path of ['/', '/health', '/healthz', '/readyz']) {
    assert.equal((await call(`${proxy.url}${path}`)).status, 200, path);
  }
  assert.equal(upstream.messages.length, MOST_IN_FLIGHT);
  upstream.answer = () => OK;
  await upstream.sendToAll(OK);
  for (const connection of held) assert.equal((await readAnswer(connection)).body, 'ok');
  assert.equal((await call(`${proxy.url}/v1/x`)).text, 'ok');
  for (const connection of [...held, upgrade]) connection.destroy();
});

test('connections beyond the bound get one answer: 503, or our health', async () => {
  const { upstream } = stack;
  const held = await Promise.all(Array.from({ length: MOST_CONNECTIONS }, () => ask('/healthz')));
  for (const connection of held) assert.equal((await readAnswer(connection)).status, 200);
  const [refused, ...others] = answersOf(await (await ask('/v1/messages')).readToEnd());
  assert.deepEqual([refused?.status, refused?.code, others], [503, 'too_many_connections', []]);
  assert.match(refused?.head ?? '', /^retry-after: 1$/im);
  assert.match(refused?.body ?? '', /^\{"type":"error"/);
  for (const path of ['/healthz', '/health']) {
    const [healthy] = answersOf(await (await ask(path)).readToEnd());
    assert.equal(healthy?.status, 200);
    assert.match(healthy?.head ?? '', /^connection: close$/im);
  }
  held[0]?.write('GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.equal(held[0] && (await readAnswer(held[0])).body, 'ok');
  assert.equal(upstream.messages.length, 1);
  for (const connection of held) connection.destroy();
});

test('a flood of connections is told so at once, without being read from, and one that leaves makes room', async () => {
  const all = [];
  for (let i = 0; i < MOST_CONNECTIONS + READ_BEYOND; i += 1) {
    all.push(await RawConnection.open(stack.proxy.port));
  }
  const beyond = await RawConnection.open(stack.proxy.port);
  const [refused] = answersOf(await beyond.readToEnd());
  assert.deepEqual([refused?.status, refused?.code], [503, 'too_many_connections']);
  for (const connection of all) connection.destroy();
  await idle();
});

test('a connection beyond the bound that asks for nothing is not kept, those within it are', async () => {
  const { port } = stack.proxy;
  const within = await Promise.all(Array.from({ length: MOST_CONNECTIONS }, () => RawConnection.open(port)));
  const beyond = await RawConnection.open(port);
  await beyond.readToEnd();
  assert.ok(within.every(({ hasEnded }) => !hasEnded));
  for (const connection of within) connection.destroy();
});
