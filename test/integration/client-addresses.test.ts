// Which addresses may come in, as clients and operators see it: real processes, two workers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { call, chatPost, jsonPost } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { bearer, ClientKeysFile } from './client-keys-file.ts';

const clientsOf = async ({ proxy }: Stack): Promise<Record<string, unknown>> =>
  JSON.parse((await call(`${proxy.url}/health`)).text).clients;
const NO_REFUSALS = { address: 0, key: 0, model: 0, limit: 0 };

test('without keys loopback and private networks are served on every address, which is said once and in /health', async (t) => {
  const stack = await startStack({ settings: { HOST: '0.0.0.0' } }, t);
  const { proxy } = stack;
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
  assert.deepEqual(await clientsOf(stack), { access: 'private networks', refused: NO_REFUSALS });
  await proxy.stop();
  const warnings = proxy.logLines.filter(({ msg }) => msg.includes('who may come in'));
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]?.level, 'WARNING');
  assert.match(warnings[0]?.msg ?? '', /every client from loopback and private networks, without a key/);
});

test('on loopback nobody needs a warning', async (t) => {
  const { proxy } = await startStack({}, t);
  await proxy.stop();
  assert.ok(!proxy.logLines.some(({ msg }) => msg.includes('who may come in')));
});

test('clients outside the list get 403 in the dialect of the path, on HTTP and WebSocket, and cost no request', async (t) => {
  const { proxy, upstream } = await startStack(
    { settings: { ALLOWED_CLIENTS: '10.99.0.0/16, 2001:db8::/32' } },
    t,
  );
  const openai = await call(`${proxy.url}/v1/chat/completions`, chatPost('hi'));
  const { error } = JSON.parse(openai.text);
  assert.deepEqual([openai.status, error.type, error.code], [403, 'permission_error', 'client_not_allowed']);
  const anthropic = await call(`${proxy.url}/v1/messages`, jsonPost({}));
  assert.deepEqual([anthropic.status, JSON.parse(anthropic.text).type], [403, 'error']);
  const spoofed = { 'x-forwarded-for': '10.99.0.1', forwarded: 'for=10.99.0.1' };
  assert.equal((await call(`${proxy.url}/v1/models`, { headers: spoofed })).status, 403);
  const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/v1/realtime?model=gpt-4o`);
  socket.on('error', () => {});
  const status = await new Promise((resolve) => {
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode));
  });
  assert.equal(status, 403);
  assert.equal(upstream.requests.length, 0);
  const line = await proxy.waitForExchange(String(openai.headers['x-request-id']));
  assert.deepEqual([line['error'], line['detail']], ['client_not_allowed', 'from 127.0.0.1']);
});

test('load balancers outside the list may still ask whether it is alive and ready, but learn nothing else', async (t) => {
  const { proxy } = await startStack({ settings: { ALLOWED_CLIENTS: '10.99.0.0/16' } }, t);
  assert.deepEqual((await call(`${proxy.url}/healthz`)).text, '{"alive":true}\n');
  assert.equal((await call(`${proxy.url}/readyz`)).status, 200);
  assert.equal((await call(`${proxy.url}/health`)).status, 403);
  assert.equal((await call(`${proxy.url}/`)).status, 403);
});

test('an IPv4 client of an IPv6 server is known by its IPv4 address', async (t) => {
  const { proxy } = await startStack({ settings: { HOST: '::', ALLOWED_CLIENTS: '127.0.0.1/32' } }, t);
  assert.equal((await call(`http://127.0.0.1:${proxy.port}/v1/models`)).status, 200);
  assert.equal((await call(`http://[::1]:${proxy.port}/v1/models`)).status, 403);
});

test('* opens it knowingly', async (t) => {
  const stack = await startStack({ settings: { HOST: '0.0.0.0', ALLOWED_CLIENTS: '*' } }, t);
  assert.deepEqual(await clientsOf(stack), { access: 'everyone', refused: NO_REFUSALS });
  const line = await stack.proxy.waitForLog(({ msg }) => msg.includes('who may come in'));
  assert.match(line.msg, /every client from anywhere, without a key/);
});

test('with keys the list counts too when it is set', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci');
  const keyed = { CLIENT_KEYS_FILE: file.path };
  const outside = await startStack({ settings: { ...keyed, ALLOWED_CLIENTS: '10.99.0.0/16' } }, t);
  assert.equal((await call(`${outside.proxy.url}/v1/models`, { headers: bearer(key) })).status, 403);
  const inside = await startStack({ settings: { ...keyed, ALLOWED_CLIENTS: 'private' } }, t);
  assert.equal((await call(`${inside.proxy.url}/v1/models`, { headers: bearer(key) })).status, 200);
  assert.equal((await clientsOf(inside))['access'], 'keys and listed addresses');
});
