// The way out: the company's proxy, TLS, an upstream that is not there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { makeCertificate } from '../harness/certificate.ts';
import { startConnectProxy } from '../harness/connect-proxy.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';

test('exchanges and WebSockets go through the outbound proxy when a setting names one', async (t) => {
  const outbound = await startConnectProxy({ user: 'me', password: 'p@ss' }, t);
  const url = `http://me:p%40ss@127.0.0.1:${outbound.port}`;
  const { proxy, upstream } = await startStack({ settings: { UPSTREAM_PROXY: url } }, t);
  assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('hello'))).status, 200);
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/v1/realtime`);
  await once(socket, 'open');
  socket.close();
  assert.deepEqual(outbound.asked, Array(2).fill(`127.0.0.1:${upstream.port}`));
});

test('HTTP_PROXY decides when no setting does, and NO_PROXY exempts', async (t) => {
  const outbound = await startConnectProxy({}, t);
  const environment = { HTTP_PROXY: `http://127.0.0.1:${outbound.port}` };
  const settings = { UPSTREAM_PROXY: '' };
  const through = await startStack({ settings, environment }, t);
  assert.equal((await call(`${through.proxy.url}/v1/models`)).status, 200);
  assert.equal(outbound.asked.length, 1);
  const exempt = await startStack({ settings, environment: { ...environment, NO_PROXY: '127.0.0.1' } }, t);
  assert.equal((await call(`${exempt.proxy.url}/v1/models`)).status, 200);
  assert.equal(outbound.asked.length, 1);
});

test('an outbound proxy that refuses is named as the cause', async (t) => {
  const outbound = await startConnectProxy({ user: 'me', password: 'right' }, t);
  const settings = { UPSTREAM_PROXY: `http://me:wr0ng-password@127.0.0.1:${outbound.port}` };
  const { proxy } = await startStack({ settings }, t);
  const answer = await call(`${proxy.url}${CHAT}`, chatPost('hello'));
  assert.equal(answer.status, 502);
  const line = await proxy.waitForExchange(String(answer.headers['x-request-id']));
  assert.match(String(line['detail']), /outbound proxy answered CONNECT with 407/);
  assert.doesNotMatch(proxy.stdout, /wr0ng-password/);
});

test('an upstream with a private certificate is trusted when its authority is, and refused otherwise', async (t) => {
  const { certificate, key } = makeCertificate();
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-ca-'));
  t.after(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'ca.pem'), certificate);
  const simulation = { tls: { key, cert: certificate } };
  const settings = { UPSTREAM_CA_FILE: join(folder, 'ca.pem') };
  const trusted = await startStack({ simulation, settings }, t);
  assert.equal((await call(`${trusted.proxy.url}${CHAT}`, chatPost('hello'))).status, 200);
  const socket = new WebSocket(`ws://127.0.0.1:${trusted.proxy.port}/v1/realtime`);
  await once(socket, 'open');
  socket.close();
  const refused = await startStack({ simulation }, t);
  const answer = await call(`${refused.proxy.url}${CHAT}`, chatPost('hello'));
  assert.equal(answer.status, 502);
  assert.match(answer.text, /upstream_unreachable/);
  assert.equal(refused.upstream.requests.length, 0);
});
