// WebSocket upgrades to /v1/realtime.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';
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

test('an upstream that refuses the upgrade is heard', async () => {
  stack.upstream.setFaults([{ fault: { type: 'status', status: 400, body: 'no realtime today' } }]);
  const socket = open();
  const [, response] = await once(socket, 'unexpected-response');
  assert.equal(response.statusCode, 400);
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.equal(text, 'no realtime today');
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
