// What comes back is what the upstream sent, byte for byte, the moment it was sent.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pseudoRandomBlocks } from '../../ops/simulated-upstream/server.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, jsonPost, openCall } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
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

test('an answer is the same whether its body comes along with its head or later, for every kind of client', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials: ONE }, t);
  const body = Buffer.from([0xc3, 0x0a, 0xff]);
  const clients = [
    ['HTTP/1.1', 'Host: a'],
    ['HTTP/1.1', 'Host: a', 'Connection: close'],
    ['HTTP/1.0', 'Connection: keep-alive'],
    ['HTTP/1.0', 'Host: a'],
  ];
  const answers = [
    ['HTTP/1.1 200 OK', 'Date: Fri, 27 Nov 2026 10:00:00 GMT', 'Connection: close', 'Content-Length: 3'],
    ['HTTP/1.1 200 ', 'date: x', 'connection: close', 'content-length: 3', 'X-A: 1', 'X-A:2', 'X-E:'],
    ['HTTP/1.1 404 N\xf6t', 'DATE: x', 'Connection: close, X-B', 'X-B: 1', 'X-C: \xfc', 'Content-Length: 3'],
    ['HTTP/1.1 200 OK', 'Content-Length: 3', 'Connection: close'],
  ];
  const exchange = async (client: string[], answer: string[], isTogether: boolean): Promise<string> => {
    const connection = await RawConnection.open(proxy.port);
    const [version, ...headers] = client;
    connection.writeHead(`GET /v1/models ${version}`, 'X-Request-Id: same', ...headers);
    const server = await upstream.connection();
    await server.readMessage();
    const start = Buffer.from(`${answer.join('\r\n')}\r\n\r\n`, 'latin1');
    server.write(isTogether ? Buffer.concat([start, body]) : start);
    const head = await connection.readThrough('\r\n\r\n');
    if (!isTogether) server.write(body);
    const sent = Buffer.concat([head, await connection.readBytes(3)]).toString('latin1');
    connection.destroy();
    // Where the upstream sent none it is the time of the moment.
    return answer.length > 3 ? sent : sent.replace(/Date: \w.*GMT/, 'Date: now');
  };
  for (const client of clients) {
    for (const answer of answers) {
      const together = await exchange(client, answer, true);
      assert.equal(together, await exchange(client, answer, false), `${client} ${answer}`);
      assert.ok(together.endsWith(`\r\n\r\n${body.toString('latin1')}`));
    }
  }
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
