// What a client is promised by the simulated upstream's API: answers, streams, refusals, records.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import WebSocket from 'ws';
import {
  generateCredentials,
  headerValues,
  pseudoRandomBlocks,
  type SimulatedCredential,
  type SimulatedUpstream,
  startSimulatedUpstream,
} from '../../ops/simulated-upstream/server.ts';
import { chatStream, FlowClient, jsonCall, mintToken } from './flow-client.ts';

describe('the simulated upstream', () => {
  let credential: SimulatedCredential;
  let upstream: SimulatedUpstream;
  let client: FlowClient;
  let openai: OpenAI;
  let anthropic: Anthropic;

  before(async () => {
    credential = firstOf(generateCredentials(2));
    upstream = await startSimulatedUpstream({ credentials: [credential] });
    const token = await mintToken(credential);
    client = new FlowClient(upstream, token);
    openai = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: token, maxRetries: 0 });
    anthropic = new Anthropic({ baseURL: upstream.url, authToken: token, apiKey: null, maxRetries: 0 });
  });

  beforeEach(() => upstream.clearRequests());
  after(() => upstream.close());

  it('lists every model and alias to the OpenAI SDK', async () => {
    const { data } = await openai.models.list();
    const ids = data.map(({ id }) => id);
    assert.ok(['gpt-4o', 'gpt-4', 'claude-45', 'deepseek-r1'].every((id) => ids.includes(id)));
  });

  it('answers a chat with the text of its last user message', async () => {
    const messages = [{ role: 'user' as const, content: 'how are you?' }];
    const chat = await openai.chat.completions.create({ model: 'gpt-4', messages });
    assert.equal(chat.model, 'gpt-4o');
    assert.equal(chat.choices[0]?.message.content, 'Echo: how are you?');
  });

  it('streams the marker of the prompt in as many chunks as asked for, then the usage', async () => {
    const stream = await openai.chat.completions.create({
      model: 'gpt-5',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'marker:XYZ chunks:7' }],
    });
    const chunks = await collect(stream);
    const deltas = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter((text) => text);
    assert.deepEqual(
      deltas,
      Array.from({ length: 7 }, () => 'XYZ '),
    );
    assert.equal(chunks.at(-1)?.usage?.completion_tokens, 7);
  });

  it('sends no usage chunk to a stream that did not ask for it, and ends it with [DONE]', async () => {
    const { text, headers } = await client.fetch('/v1/chat/completions', chatStream('hello'));
    assert.match(headers['content-type'] ?? '', /^text\/event-stream/);
    assert.doesNotMatch(text, /"usage"/);
    assert.ok(text.endsWith('data: [DONE]\n\n'));
  });

  it('answers the Anthropic SDK whole, streamed, and with a token count', async () => {
    const ask = {
      model: 'claude-45',
      max_tokens: 100,
      messages: [
        { role: 'user' as const, content: [{ type: 'text' as const, text: 'marker:ABC chunks:3' }] },
      ],
    };
    const whole = await anthropic.messages.create(ask);
    assert.deepEqual(whole.content, [{ type: 'text', text: 'ABC ABC ABC ' }]);
    const streamed = await anthropic.messages.stream(ask).finalMessage();
    assert.equal(streamed.content[0]?.type === 'text' && streamed.content[0].text, 'ABC ABC ABC ');
    assert.equal(streamed.usage.output_tokens, 3);
    const { model, messages } = ask;
    assert.ok((await anthropic.messages.countTokens({ model, messages })).input_tokens > 0);
  });

  it('streams a message as the documented sequence of events', async () => {
    const ask = { model: 'claude-45', stream: true, messages: [{ role: 'user', content: 'chunks:2' }] };
    const { text } = await client.post('/v1/messages?beta=true', ask);
    const events = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    const deltas = ['content_block_delta', 'content_block_delta'];
    assert.deepEqual(events, [
      ...['message_start', 'content_block_start', 'ping', ...deltas],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ]);
  });

  it('serves responses, embeddings and images to the OpenAI SDK', async () => {
    const whole = await openai.responses.create({ model: 'gpt-5-mini', input: 'marker:R chunks:2' });
    assert.equal(whole.output_text, 'R R ');
    const events = await collect(
      await openai.responses.create({ model: 'gpt-5', input: 'chunks:3', stream: true }),
    );
    assert.equal(events.filter(({ type }) => type === 'response.output_text.delta').length, 3);
    assert.equal(events.at(-1)?.type, 'response.completed');
    const { data } = await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'] });
    assert.deepEqual(
      data.map(({ embedding }) => embedding.length),
      [8, 8],
    );
    const image = await openai.images.generate({ model: 'gpt-image-1', prompt: 'a dot' });
    assert.ok(image.data?.[0]?.b64_json);
  });

  it('describes the file of a multipart upload', async () => {
    const sound = Buffer.concat([...pseudoRandomBlocks(100_000, 7)]);
    const file = await toFile(sound, 'speech.wav');
    const { text } = await openai.audio.transcriptions.create({ model: 'whisper-1', file });
    assert.equal(text, `file=speech.wav bytes=100000 sha256=${sha256(sound)}`);
  });

  it('refuses context_management and anthropic-beta on messages in Anthropic shape', async () => {
    const ask = { model: 'claude-45', max_tokens: 5, messages: [] };
    const field = await client.post('/v1/messages', { ...ask, context_management: {} });
    const header = await client.post('/v1/messages', ask, { 'anthropic-beta': 'claude-code-20250219' });
    for (const { status, text } of [field, header]) {
      assert.equal(status, 400);
      const { type, error } = JSON.parse(text);
      assert.equal(type, 'error');
      assert.match(error.message, /Extra inputs are not permitted/);
    }
  });

  it('refuses bad JSON, unknown models, unknown paths and wrong methods', async () => {
    const bad = await client.fetch('/v1/chat/completions', { method: 'POST', body: '{"model":' });
    assert.equal(bad.status, 400);
    const unknown = await client.post('/v1/chat/completions', { model: 'gpt-99' });
    assert.equal(unknown.status, 400);
    assert.match(unknown.text, /Invalid model name passed in model=gpt-99/);
    assert.equal((await client.fetch('/v1/nothing')).status, 404);
    assert.equal((await client.fetch('/v1/messages')).status, 405);
    assert.equal((await fetch(`${upstream.origin}/v1/models`)).status, 404);
  });

  it('refuses a missing token, a wrong signature, an unknown client and reordered claims', async () => {
    const { clientId, clientSecret, tenant } = credential;
    const stranger = firstOf(generateCredentials(1));
    const reordered = Buffer.from(JSON.stringify({ tenant, clientId, clientSecret })).toString('base64url');
    const [header, , signature] = client.token.split('.');
    const tokens = [
      await mintToken(credential, 'not the secret'),
      await mintToken(stranger),
      `${header}.${reordered}.${signature}`,
      'nonsense',
    ];
    for (const token of tokens) {
      const { status, text } = await new FlowClient(upstream, token).fetch('/v1/models');
      assert.equal(status, 401);
      assert.equal(JSON.parse(text).error.type, 'auth_error');
    }
    assert.equal((await fetch(`${upstream.url}/v1/models`)).status, 401);
    assert.ok(upstream.requests.every((request) => request.clientId === null && request.status === 401));
  });

  it('echoes WebSocket messages, text and binary, to a client with a valid token', async () => {
    const url = `${upstream.url.replace('http', 'ws')}/v1/realtime?model=gpt-4o`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${client.token}` } });
    await once(socket, 'open');
    for (const message of ['hello', Buffer.from([0, 255, 7])]) {
      socket.send(message);
      const [data, isBinary] = await once(socket, 'message');
      assert.equal(isBinary, typeof message !== 'string');
      assert.deepEqual(data, Buffer.from(message));
    }
    socket.close(1000);
    const { outcome } = await upstream.waitFor(({ outcome }) => outcome !== 'active');
    assert.equal(outcome, 'completed');
    const [error] = await once(new WebSocket(url), 'error');
    assert.match(error.message, /401/);
  });

  it('delivers the same bytes for the same seed, whole, however large', async () => {
    const response = await client.head(client.open('/v1/bytes?size=3000001&seed=42'));
    const hash = createHash('sha256');
    for await (const piece of response) hash.update(piece);
    assert.equal(response.headers['content-length'], '3000001');
    assert.equal(hash.digest('hex'), sha256(Buffer.concat([...pseudoRandomBlocks(3_000_001, 42)])));
  });

  it('writes the chunks of a script one by one, exactly as given', async () => {
    const chunks = ['data: caf\xc3', '\xa9\n', '\ndata: [DONE]\r\n\r\n'].map((text) =>
      Buffer.from(text, 'latin1'),
    );
    const script = { chunks: chunks.map((chunk) => chunk.toString('base64')), intervalMs: 50 };
    const response = await client.head(client.open('/v1/sse-script', jsonCall(script)));
    assert.deepEqual(await collect(response), chunks);
  });

  it('records requests, with the token kept out of the echo and of the control interface', async () => {
    const headers = { 'x-api-key': 'k', cookie: 'c=1' };
    const echo = await client.fetch('/v1/echo?a=1', { method: 'PATCH', body: 'body', headers });
    const { clientId, bodySha256, method } = JSON.parse(echo.text);
    assert.deepEqual([clientId, bodySha256, method], [credential.clientId, sha256('body'), 'PATCH']);
    const control = await (await fetch(`${upstream.origin}/_control/requests`)).text();
    assert.match(control, /Bearer <redacted>/);
    for (const text of [echo.text, control]) assert.ok(!text.includes(client.token));
    const [record] = upstream.requests;
    assert.ok(record);
    assert.deepEqual(headerValues(record.rawHeaders, 'Cookie'), ['c=1']);
    assert.deepEqual(headerValues(record.rawHeaders, 'authorization'), [`Bearer ${client.token}`]);
    assert.equal(record.bodyBytes, 4);
  });

  it('shows a client that cancels a stream as an aborted request', async () => {
    const call = client.open('/v1/chat/completions', chatStream('chunks:1000 interval:20'));
    await client.head(call);
    await upstream.waitFor(({ chunksSent }) => chunksSent >= 2);
    call.on('error', () => {}).destroy();
    const { chunksSent } = await upstream.waitFor(({ outcome }) => outcome === 'aborted');
    assert.ok(chunksSent < 1000);
    await upstream.waitForStats(({ activeRequests }) => activeRequests === 0);
  });

  it('counts requests by credential, and leaves control connections out of the counts', async (t) => {
    const counted = await startSimulatedUpstream({ credentials: [credential] });
    t.after(() => counted.close());
    const caller = new FlowClient(counted, client.token);
    await caller.fetch('/v1/models');
    await caller.fetch('/v1/models');
    await counted.waitForStats(({ openConnections }) => openConnections === 0);
    const seen = await (await fetch(`${counted.origin}/_control/stats`)).json();
    const byCredential = { [credential.clientId]: 2 };
    assert.deepEqual(seen, { openConnections: 0, activeRequests: 0, totalConnections: 2, byCredential });
  });
});

function firstOf<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error('the list is empty');
  return first;
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of stream) all.push(item);
  return all;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
