// WebSocket upgrades to /v1/realtime.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
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
