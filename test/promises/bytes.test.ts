// What comes back is what the upstream sent, byte for byte, the moment it was sent.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pseudoRandomBlocks } from '../../ops/simulated-upstream/server.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, jsonPost, openCall } from '../harness/http-call.ts';
import { startRawUpstream } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const ONE = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.close());

test('a binary answer of 20 MB arrives whole', async () => {
  const wanted = createHash('sha256');
  for (const block of pseudoRandomBlocks(20_000_000, 7)) wanted.update(block);
  const { body } = await call(`${stack.proxy.url}/v1/bytes?size=20000000&seed=7`);
  assert.equal(createHash('sha256').update(body).digest('hex'), wanted.digest('hex'));
});

test('an event stream cut inside a character and inside CRLF arrives as it was', async () => {
  const whole = Buffer.from('data: {"t":"grüße 🎉"}\r\n\r\ndata: [DONE]\r\n\r\n');
  const chunks = [...whole].map((byte) => Buffer.from([byte]));
  const script = { chunks: chunks.map((chunk) => chunk.toString('base64')), intervalMs: 1 };
  const { body, headers } = await call(`${stack.proxy.url}/v1/sse-script`, jsonPost(script));
  assert.deepEqual(body, whole);
  assert.equal(headers['x-accel-buffering'], 'no');
});

test('an event leaves the moment it arrives, while the next is still held back', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startFlowProxy({ upstream: `${upstream.url}/base`, credentials: ONE }, t);
  const answering = openCall(`${proxy.url}/v1/chat/completions`, jsonPost({ model: 'm' }));
  const connection = await upstream.connection();
  await connection.readMessage();
  connection.writeHead('HTTP/1.1 200 OK', 'Content-Type: text/event-stream', 'Transfer-Encoding: chunked');
  // The head alone is passed on at once, too.
  const response = await answering;
  const pieces = response[Symbol.asyncIterator]();
  for (const event of ['data: one\n\n', 'data: two\n\n']) {
    connection.write(`${event.length.toString(16)}\r\n${event}\r\n`);
    assert.equal(String((await pieces.next()).value), event);
  }
  connection.write('0\r\n\r\n');
  assert.equal((await pieces.next()).done, true);
});

test('a compressed answer is not touched', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startFlowProxy({ upstream: `${upstream.url}/base`, credentials: ONE }, t);
  const packed = gzipSync('{"hello":"world"}');
  const answering = call(`${proxy.url}/v1/models`, { headers: { 'accept-encoding': 'gzip' } });
  const connection = await upstream.connection();
  assert.match((await connection.readMessage()).head, /\r\naccept-encoding: gzip/i);
  connection.writeHead('HTTP/1.1 200 OK', 'Content-Encoding: gzip', `Content-Length: ${packed.length}`);
  connection.write(packed);
  const answer = await answering;
  assert.deepEqual(answer.body, packed);
  assert.equal(answer.headers['content-encoding'], 'gzip');
});

test('200 concurrent streams over two workers are neither mixed up nor lost', async () => {
  const streams = Array.from({ length: 200 }, async (_, index) => {
    const content = `marker:S${index}E chunks:10 interval:20`;
    const body = { model: 'gpt-4o', stream: true, messages: [{ role: 'user', content }] };
    const { text } = await call(`${stack.proxy.url}/v1/chat/completions`, jsonPost(body));
    const said = [...text.matchAll(/"content":"(S\d+E) "/g)].map(([, marker]) => marker);
    assert.deepEqual(said, Array(10).fill(`S${index}E`));
    assert.match(text, /data: \[DONE\]\n\n$/);
  });
  await Promise.all(streams);
});
