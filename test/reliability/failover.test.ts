// How often, and when, an exchange is attempted again, over two workers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startSimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';

test('an exchange never uses a credential twice and stops at the bound of attempts', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 5, settings: { MAX_ATTEMPTS: 4 } }, t);
  upstream.setFaults([{ fault: { type: 'status', status: 503, body: 'no' } }]);
  const answer = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.equal(answer.status, 503);
  assert.equal(answer.text, 'no');
  const used = upstream.requests.map(({ clientId }) => clientId);
  assert.equal(used.length, 4);
  assert.equal(new Set(used).size, 4);
});

test('a body above the bound is sent once', async (t) => {
  const { upstream, proxy } = await startStack({ settings: { KEEP_BODY_MB: 0.1 } }, t);
  upstream.setFaults([{ times: 1, fault: { type: 'status', status: 503 } }]);
  const large = await call(`${proxy.url}${CHAT}`, chatPost('x'.repeat(300_000)));
  assert.equal(large.status, 503);
  assert.equal(upstream.requests.length, 1);
});

test('other failures are repeated when a setting allows it', async (t) => {
  const settings = { RETRY_ON: '500,timeout,reset', FIRST_BYTE_TIMEOUT: 1 };
  const { upstream, proxy } = await startStack({ settings }, t);
  for (const fault of [{ type: 'status', status: 500 }, { type: 'stall' }, { type: 'reset' }] as const) {
    upstream.setFaults([{ times: 1, fault }]);
    assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 200, fault.type);
  }
});

test('no attempt begins when the time for attempts is over', async (t) => {
  const settings = { RETRY_ON: 'timeout', FIRST_BYTE_TIMEOUT: 0.5, RETRY_TIME: 0.2 };
  const { upstream, proxy } = await startStack({ settings }, t);
  upstream.setFaults([{ fault: { type: 'stall' } }]);
  assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 504);
  assert.equal(upstream.requests.length, 1);
});

test('an upstream that is not there gives 502 after an attempt with each credential allowed', async (t) => {
  const gone = await startSimulatedUpstream({ credentials: [] });
  await gone.close();
  const credentials = [1, 2].map((n) => ({ clientId: `i${n}`, clientSecret: `s${n}-secret`, tenant: 't' }));
  const proxy = await startFlowProxy({ upstream: gone.url, credentials }, t);
  const answer = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.equal(answer.status, 502);
  assert.match(answer.text, /upstream_unreachable/);
  const line = await proxy.waitForExchange(String(answer.headers['x-request-id']));
  assert.equal(line['attempts'], 2);
});
