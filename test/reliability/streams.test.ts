// Long, slow, broken and abandoned streams.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { eventually } from '../harness/eventually.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, chatPost, openCall, startCall } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { startDeafUpstream, startRawUpstream } from '../harness/raw-upstream.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { startStack } from '../harness/stack.ts';

/** The promise is a second; the rest is the test's own way of hearing of it. */
const FREED_WITHIN_MS = 1_500;
const CHAT = '/v1/chat/completions';
const SLOWLY_READ = 200_000_000;
const ONE = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
const USER = [{ role: 'user', content: 'marker:M chunks:8' } as const];

/** Three times as long as comments take to come. */
function silence(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 600));
}

for (const fault of [
  { type: 'cut', afterChunks: 3 },
  { type: 'reset', afterChunks: 3 },
  { type: 'stall', afterChunks: 3 },
] as const) {
  test(`the SDKs raise when a stream breaks in the middle (${fault.type})`, async () => {
    const { upstream, proxy } = await sharedStack({ settings: { IDLE_TIMEOUT: 1 } });
    upstream.setFaults([{ fault }]);
    const openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const anthropic = new Anthropic({ baseURL: proxy.url, authToken: 'none', apiKey: null, maxRetries: 0 });
    await assert.rejects(async () => {
      const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages: USER, stream: true });
      for await (const _ of stream);
    }, OpenAI.APIError);
    await assert.rejects(async () => {
      const stream = anthropic.messages.stream({ model: 'claude-4-5-sonnet', max_tokens: 9, messages: USER });
      await stream.finalMessage();
    }, Anthropic.APIError);
  });
}

test('a long silence between two events is bridged by comments that the SDKs do not see', async (t) => {
  const settings = { STREAM_KEEP_ALIVE: 0.2 };
  const { upstream, proxy } = await startStack({ settings, simulation: { chunkIntervalMs: 700 } }, t);
  assert.equal(upstream.requests.length, 0);
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:M chunks:2', true));
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.match(text, /\n\n: keep-alive\n\n/);
  const openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: 'none' });
  const messages = [{ role: 'user', content: 'marker:M chunks:2' } as const];
  const stream = await openai.chat.completions.create({ model: 'gpt-4o', messages, stream: true });
  let said = '';
  for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
  assert.equal(said, 'M M ');
});

test('comments begin once the upstream has answered, also before its first event, and never inside one', async (t) => {
  const upstream = await startRawUpstream(t);
  const settings = { STREAM_KEEP_ALIVE: 0.2, NUM_WORKERS: 1 };
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials: ONE, settings }, t);
  const client = await RawConnection.open(proxy.port);
  const { body } = chatPost('x', true);
  client.writeHead('POST /v1/chat/completions HTTP/1.1', 'Host: x', `Content-Length: ${body.length}`);
  client.write(body);
  const answering = await upstream.connection();
  await answering.readMessage();
  await silence();
  assert.equal(client.received.length, 0, 'nothing is known of the answer yet');
  answering.writeHead('HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
  await client.readThrough(': keep-alive\n\n');
  const half = 'data: {"half":';
  answering.write(`${half.length.toString(16)}\r\n${half}\r\n`);
  await client.readThrough(half);
  await silence();
  assert.doesNotMatch(String(client.received), /keep-alive/);
  const rest = '1}\n\n';
  answering.write(`${rest.length.toString(16)}\r\n${rest}\r\n`);
  await client.readThrough(rest);
  await client.readThrough(': keep-alive\n\n');
  client.destroy();
});

test('comments can be switched off', async (t) => {
  const settings = { STREAM_KEEP_ALIVE: 0 };
  const { proxy } = await startStack({ settings, simulation: { chunkIntervalMs: 700 } }, t);
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:M chunks:2', true));
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.doesNotMatch(text, /keep-alive/);
});

test('an exchange that takes too long in all is ended with an error event', async (t) => {
  const settings = { EXCHANGE_TIMEOUT: 1 };
  const { proxy } = await startStack({ settings, simulation: { chunkIntervalMs: 200 } }, t);
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:M chunks:200', true));
  let text = '';
  await assert.rejects(async () => {
    for await (const piece of response) text += String(piece);
  });
  assert.match(text, /data: \{"error":.*longer than 1 s in all.*"code":"exchange_timeout"\}\}\n\n$/);
});

test('a client that reads slowly holds the upstream back, and memory stays bounded', async (t) => {
  const { proxy } = await startStack({ settings: { NUM_WORKERS: 1 } }, t);
  const [worker = 0] = proxy.workerPids();
  const rss = (): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))?.[1]);
  await call(`${proxy.url}/v1/models`);
  const before = rss();
  const response = await openCall(`${proxy.url}/v1/bytes?size=${SLOWLY_READ}`);
  const beganAt = performance.now();
  let received = 0;
  let highest = 0;
  for await (const piece of response) {
    received += Buffer.from(piece).length;
    highest = Math.max(highest, rss());
    // 1 MB a second to begin with; the rest of three minutes is read in seconds.
    const due = received < 2_000_000 ? received / 1_000 : 2_000 + received / 30_000;
    const early = due - (performance.now() - beganAt);
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
  }
  assert.equal(received, SLOWLY_READ);
  t.diagnostic(`grew by ${highest - before} kB`);
  assert.ok(highest - before < 20_000, `grew by ${highest - before} kB`);
});

for (const [phase, fault] of [
  ['waiting for the answer', { type: 'stall' }],
  ['in the middle of a stream', { type: 'stall', afterChunks: 2 }],
] as const) {
  test(`a client that leaves while ${phase} frees the upstream and counts against nobody`, async () => {
    const { upstream, proxy } = await sharedStack();
    const id = phase.replaceAll(' ', '-');
    upstream.setFaults([{ fault }]);
    const outgoing = startCall(`${proxy.url}${CHAT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
    });
    outgoing.on('error', () => {}).on('response', (response) => response.on('error', () => {}).resume());
    outgoing.end(chatPost('marker:M chunks:9', true).body);
    await upstream.waitForStats(({ activeRequests }) => activeRequests === 1);
    await eventually('the stall', () => (upstream.requests[0]?.fault === null ? undefined : true));
    outgoing.destroy();
    await upstream.waitFor(({ outcome }) => outcome === 'aborted', FREED_WITHIN_MS);
    const line = await proxy.waitForExchange(id);
    assert.deepEqual([line.level, line['outcome']], ['INFO', 'client_left']);
  });
}

const BODIES = [
  ['kept', {}],
  ['streamed', { KEEP_BODY_MB: 0.01 }],
] as const;

test('a client that leaves during a second attempt frees the upstream and counts against nobody', async () => {
  const { upstream, proxy } = await sharedStack();
  const id = 'during-a-second-attempt';
  upstream.setFaults([{ times: 1, fault: { type: 'status', status: 503 } }, { fault: { type: 'stall' } }]);
  const headers = { 'x-request-id': id };
  const outgoing = startCall(`${proxy.url}/v1/models`, { headers });
  outgoing.on('error', () => {}).end();
  await eventually('the second attempt', () => (upstream.requests[1]?.fault === 'stall' ? true : undefined));
  outgoing.destroy();
  await upstream.waitFor(({ outcome }) => outcome === 'aborted', FREED_WITHIN_MS);
  const line = await proxy.waitForExchange(id);
  assert.deepEqual([line.level, line['outcome'], line['attempts']], ['INFO', 'client_left', 2]);
  assert.ok(!proxy.logLines.some(({ msg }) => msg.includes('marked as failed')));
});

test('a client that leaves while it waits for a throttled credential is forgotten: no attempt follows', async (t) => {
  // One worker, so that the next request goes to the one that has seen the 429.
  const settings = { THROTTLE_WAIT: 30, NUM_WORKERS: 1 };
  const { upstream, proxy } = await startStack({ credentials: 1, settings }, t);
  const fault = { type: 'status', status: 429, headers: { 'retry-after-ms': '3000' } } as const;
  upstream.setFaults([{ times: 1, fault }]);
  const url = `${proxy.url}/v1/models`;
  assert.equal((await openCall(url)).statusCode, 429);
  const outgoing = startCall(url, { headers: { 'x-request-id': 'waiting' } });
  outgoing.on('error', () => {}).end();
  const waiting = openCall(url);
  for (let i = 0; i < 4; i += 1) (await openCall(`${proxy.url}/healthz`)).resume();
  outgoing.destroy();
  const line = await proxy.waitForLog(({ requestId }) => requestId === 'waiting', FREED_WITHIN_MS);
  assert.deepEqual([line.level, line['outcome'], line['attempts']], ['INFO', 'client_left', 0]);
  assert.equal((await waiting).statusCode, 200, 'whoever stays is served');
  assert.equal(upstream.requests.length, 2);
});

for (const how of ['end', 'reset'] as const) {
  for (const [what, settings] of BODIES) {
    test(`a client that leaves while uploading frees the upstream and counts against nobody (body ${what}, ${how})`, async () => {
      const { upstream, proxy } = await sharedStack({ settings });
      const id = `${what}-${how}`;
      const connection = await RawConnection.open(proxy.port);
      const [expectation, name] = ['Expect: 100-continue', `X-Request-Id: ${id}`];
      connection.writeHead('POST /v1/echo HTTP/1.1', 'Host: x', 'Content-Length: 1000000', expectation, name);
      // So that the exchange has begun when the client leaves.
      await connection.readThrough('\r\n\r\n');
      connection.write(Buffer.alloc(200_000));
      if (what === 'streamed') await upstream.waitForStats(({ activeRequests }) => activeRequests === 1);
      connection[how]();
      await upstream.waitForStats(({ activeRequests }) => activeRequests === 0, FREED_WITHIN_MS);
      const line = await proxy.waitForExchange(id);
      assert.deepEqual([line.level, line['outcome']], ['INFO', 'client_left']);
      connection.destroy();
    });
  }

  test(`also when the upstream does not take the body in (${how})`, async (t) => {
    const upstream = await startDeafUpstream(t);
    const proxy = await startFlowProxy({ upstream: upstream.url, credentials: ONE }, t);
    const connection = await RawConnection.open(proxy.port);
    connection.writeHead('POST /v1/echo HTTP/1.1', 'Host: x', 'Content-Length: 30000000');
    connection.write(Buffer.alloc(29_000_000));
    await eventually('the upload', () => (connection.unsent === 0 ? true : undefined));
    connection[how]();
    const line = await proxy.waitForLog(({ outcome }) => outcome !== undefined);
    assert.deepEqual([line.level, line['outcome'], line['attempts']], ['INFO', 'client_left', 1]);
    connection.destroy();
  });
}

test('no client that left has made a credential look bad', async () => {
  for (const options of [{}, ...BODIES.map(([, settings]) => ({ settings }))]) {
    const { proxy } = await sharedStack(options);
    assert.equal(await proxy.stop(), 0);
    assert.ok(!proxy.logLines.some(({ msg }) => msg.includes('marked as failed')));
  }
});
