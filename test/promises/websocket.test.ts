// WebSocket upgrades to /v1/realtime.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { type VerifyClientCallbackAsync, WebSocket, WebSocketServer } from 'ws';
import { generateCredentials } from '../../ops/simulated-upstream/server.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { portOf } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
before(async () => {
  // Some tests cool a credential; there have to be others left.
  stack = await startStack({ credentials: 12, settings: { FIRST_BYTE_TIMEOUT: 3 } });
});
after(() => stack.close());
beforeEach(() => stack.reset());

function open(): WebSocket {
  const headers = { authorization: 'Bearer of-the-client', cookie: 'a=b', 'x-api-key': 'of-the-client' };
  return new WebSocket(`ws://127.0.0.1:${stack.proxy.port}/v1/realtime?model=gpt-4o`, { headers });
}

test('messages go both ways, with a leased credential and without the client’s own secrets', async () => {
  const socket = open();
  await once(socket, 'open');
  for (const message of ['hello', 'x'.repeat(200_000)]) {
    socket.send(message);
    const [echoed] = await once(socket, 'message');
    assert.equal(String(echoed), message);
  }
  const [seen] = stack.upstream.requests;
  assert.equal(seen?.url, '/flow-llm-proxy/v1/realtime?model=gpt-4o');
  assert.ok(stack.credentials.some(({ clientId }) => clientId === seen.clientId));
  assert.doesNotMatch(JSON.stringify(seen.rawHeaders), /of-the-client|a=b/);
  socket.close();
  await once(socket, 'close');
  await stack.proxy.waitForLog(({ status, path }) => status === 101 && path === '/v1/realtime');
});

test('a client that leaves takes the upstream connection along', async () => {
  const socket = open();
  await once(socket, 'open');
  socket.terminate();
  await stack.upstream.waitForStats(({ activeRequests }) => activeRequests === 0);
});

test('an upgrade of a path that is answered here is ignored, and costs no credential', async () => {
  for (const path of ['/', '/health', '/healthz?a=b']) {
    const socket = new WebSocket(`${stack.proxy.url.replace('http', 'ws')}${path}`).on('error', () => {});
    const [request, response] = await once(socket, 'unexpected-response');
    assert.equal(response.statusCode, 200, path);
    request.destroy();
  }
  assert.equal(stack.upstream.requests.length, 0);
});

test('an upstream that refuses the upgrade is heard', async () => {
  stack.upstream.setFaults([{ fault: { type: 'status', status: 400, body: 'no realtime today' } }]);
  const socket = open();
  const [, response] = await once(socket, 'unexpected-response');
  assert.equal(response.statusCode, 400);
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.equal(text, 'no realtime today');
});

test('an upgrade that is refused is over when its client has heard so, whatever that has sent ahead', async () => {
  stack.upstream.setFaults([{ fault: { type: 'status', status: 400, body: 'no realtime today' } }]);
  const connection = await RawConnection.open(stack.proxy.port);
  const offer = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  connection.writeHead('GET /v1/realtime HTTP/1.1', 'Host: x', 'X-Request-Id: ahead', ...offer, key);
  connection.write('a frame that is sent ahead');
  assert.match(String(await connection.readToEnd()), /no realtime today$/);
  connection.end();
  const line = await stack.proxy.waitForExchange('ahead');
  assert.deepEqual([line['status'], line['error']], [400, 'upgrade_refused']);
});

for (const status of [401, 403, 429, 503] as const) {
  test(`an upgrade that one credential gets ${status} for goes out with another one`, async () => {
    stack.upstream.setFaults([{ times: 1, fault: { type: 'status', status } }]);
    const socket = open();
    const [[answer]] = await Promise.all([once(socket, 'upgrade'), once(socket, 'open')]);
    socket.send('hello');
    const [echoed] = await once(socket, 'message');
    assert.equal(String(echoed), 'hello');
    const used = stack.upstream.requests.map(({ clientId }) => clientId);
    assert.equal(new Set(used).size, 2);
    socket.close();
    const line = await stack.proxy.waitForExchange(answer.headers['x-request-id']);
    assert.deepEqual([line['attempts'], line['model'], line['status']], [2, 'gpt-4o', 101]);
    if (status !== 503)
      await stack.proxy.waitForLog(({ msg }) => new RegExp(`marked as failed.*HTTP ${status}`).test(msg));
  });
}

test('an upgrade uses no credential twice, and its client gets the last answer', async () => {
  stack.upstream.setFaults([{ fault: { type: 'status', status: 401, body: 'not you' } }]);
  const [, response] = await once(open(), 'unexpected-response');
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.deepEqual([response.statusCode, text], [401, 'not you']);
  assert.equal(new Set(stack.upstream.requests.map(({ clientId }) => clientId)).size, 3);
  assert.equal(stack.upstream.requests.length, 3);
});

for (const [what, fault, code] of [
  ['says nothing', { type: 'stall' }, 'upstream_first_byte_timeout'],
  ['closes the connection', { type: 'close' }, 'upstream_closed'],
] as const) {
  test(`an upgrade to an upstream that ${what} gets an error of its own`, async () => {
    stack.upstream.setFaults([{ fault }]);
    const [, response] = await once(open(), 'unexpected-response');
    let text = '';
    for await (const piece of response) text += String(piece);
    assert.equal(JSON.parse(text).error.code, code);
  });
}

test('a client that leaves before its upgrade is answered counts against nobody', async () => {
  stack.upstream.setFaults([{ fault: { type: 'stall' } }]);
  const socket = open().on('error', () => {});
  await stack.upstream.waitForStats(({ activeRequests }) => activeRequests === 1);
  socket.terminate();
  await stack.upstream.waitForStats(({ activeRequests }) => activeRequests === 0, 1_500);
  const line = await stack.proxy.waitForLog(({ outcome }) => outcome === 'client_left');
  assert.equal(line.level, 'INFO');
});

test('a drain lets a WebSocket go on until it closes', async (t) => {
  const own = await startStack({}, t);
  const socket = new WebSocket(`ws://127.0.0.1:${own.proxy.port}/v1/realtime`);
  await once(socket, 'open');
  const stopped = own.proxy.stop();
  await own.proxy.waitForLog(({ msg }) => msg.includes('draining'));
  socket.send('still there');
  const [echoed] = await once(socket, 'message');
  assert.equal(String(echoed), 'still there');
  socket.close();
  assert.equal(await stopped, 0);
});

test('at the drain deadline an open WebSocket is closed with 1001 between two messages, one that is not open gets a 503', async (t) => {
  const opened = new EventEmitter<{ open: [WebSocket, Socket] }>();
  const server = createServer().listen(0, '127.0.0.1');
  const verifyClient: VerifyClientCallbackAsync = ({ req }, accept) => {
    if (!req.url?.includes('unanswered')) accept(true);
  };
  new WebSocketServer({ server, verifyClient }).on('connection', (socket, request) =>
    opened.emit('open', socket, request.socket),
  );
  await once(server, 'listening');
  t.after(() => server.close());
  const upstream = `http://127.0.0.1:${portOf(server)}`;
  const settings = { DRAIN_TIMEOUT: 1 };
  const proxy = await startFlowProxy({ upstream, credentials: generateCredentials(1), settings }, t);
  const url = `ws://127.0.0.1:${proxy.port}/v1/realtime`;
  const openOne = async () => {
    const client = new WebSocket(url).on('error', () => {});
    const [theirs, raw]: [WebSocket, Socket] = await new Promise((resolve) => {
      opened.once('open', (...both) => resolve(both));
    });
    if (client.readyState !== WebSocket.OPEN) await once(client, 'open');
    return { client, theirs, raw };
  };
  const [idle, busy, stuck] = [await openOne(), await openOne(), await openOne()];
  const unanswered = new WebSocket(`${url}?unanswered`).on('error', () => {});
  await once(server, 'upgrade');
  // The first half of a message of 1,000 bytes; the other one comes after the deadline, or never.
  const half = Buffer.alloc(500, 'x');
  const begun = Buffer.concat([Buffer.from([0x82, 126, 0x03, 0xe8]), half]);
  for (const { raw } of [busy, stuck]) raw.write(begun);
  const heard = [idle.client, idle.theirs, busy.client, stuck.client].map((socket) => once(socket, 'close'));
  const refused = once(unanswered, 'unexpected-response');
  const stopped = proxy.stop();

  assert.equal((await heard[0])?.[0], 1001);
  assert.equal((await heard[1])?.[0], 1001, 'the upstream hears what the client says to it');
  const [, response] = await refused;
  assert.equal(response.statusCode, 503);
  assert.equal(JSON.parse(await text(response)).error.code, 'service_ending');
  unanswered.terminate();
  const message = once(busy.client, 'message');
  busy.raw.write(Buffer.concat([half, Buffer.from([0x82, 126])]));
  const [got] = await Promise.race([message, ...heard.slice(2, 3)]);
  assert.deepEqual(got, Buffer.concat([half, half]));
  busy.raw.write(Buffer.from([0, 1, 0x79]));
  assert.equal((await heard[2])?.[0], 1001);
  assert.equal((await heard[3])?.[0], 1006);
  assert.equal(await stopped, 0);
  const lines = proxy.logLines.filter(({ path }) => path === '/v1/realtime');
  assert.deepEqual(lines.map(({ status, outcome, error }) => `${status} ${outcome} ${error}`).sort(), [
    ...Array(3).fill('101 failed service_ending'),
    '503 failed service_ending',
  ]);
});
