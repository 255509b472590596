// What a client sees when the simulated upstream misbehaves, and how faults are set.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import WebSocket from 'ws';
import {
  type Fault,
  type FaultRule,
  generateCredentials,
  type RequestRecord,
  type SimulatedUpstream,
  startSimulatedUpstream,
} from '../../ops/simulated-upstream/server.ts';
import { chatStream, FlowClient, mintToken } from './flow-client.ts';

describe('a fault of the simulated upstream', () => {
  let upstream: SimulatedUpstream;
  let client: FlowClient;
  let other: FlowClient;
  let clientId: string;

  before(async () => {
    const [first, second] = generateCredentials(2);
    assert.ok(first && second);
    clientId = first.clientId;
    upstream = await startSimulatedUpstream({ credentials: [first, second] });
    client = new FlowClient(upstream, await mintToken(first));
    other = new FlowClient(upstream, await mintToken(second));
  });

  afterEach(() => {
    upstream.setFaults([]);
    upstream.clearRequests();
  });
  after(() => upstream.close());

  const strike = (fault: Fault, rule: Partial<FaultRule> = {}): void =>
    upstream.setFaults([{ ...rule, fault }]);
  const faulted = (): Promise<RequestRecord> => upstream.waitFor(({ outcome }) => outcome === 'faulted');

  it('of type status answers with its status, headers and body', async () => {
    strike({ type: 'status', status: 429, headers: { 'retry-after': '7' }, body: { error: 'slow down' } });
    const { status, headers, text } = await client.fetch('/v1/models');
    assert.deepEqual([status, headers['retry-after'], text], [429, '7', '{"error":"slow down"}']);
    assert.equal((await faulted()).fault, 'status');
  });

  it('of type status speaks the shape of the path when it has no body of its own', async () => {
    strike({ type: 'status', status: 529 });
    const { text } = await client.post('/v1/messages', { model: 'claude-45' });
    assert.equal(JSON.parse(text).error.type, 'overloaded_error');
  });

  it('strikes as often as its rule says, and only the credential, path and model of its rule', async () => {
    const rule = { times: 1, credential: clientId, path: '/v1/chat', model: 'gpt-4o' };
    strike({ type: 'status', status: 503 }, rule);
    const ask = { model: 'gpt-4o', messages: [] };
    const chat = '/v1/chat/completions';
    assert.equal((await other.post(chat, ask)).status, 200);
    assert.equal((await client.post(chat, { ...ask, model: 'gpt-5' })).status, 200);
    assert.equal((await client.fetch('/v1/models')).status, 200);
    assert.equal((await client.post(chat, ask)).status, 503);
    assert.equal((await client.post(chat, ask)).status, 200);
    assert.equal(upstream.faults[0]?.struck, 1);
  });

  it('of type status makes the OpenAI SDK retry, as the real one would', async () => {
    strike({ type: 'status', status: 429, headers: { 'retry-after-ms': '1' } }, { times: 1 });
    const openai = new OpenAI({ baseURL: `${upstream.url}/v1`, apiKey: client.token, maxRetries: 1 });
    assert.ok((await openai.models.list()).data.length > 0);
    assert.equal(upstream.requests.length, 2);
  });

  it('in phase headers answers before the body has arrived', async () => {
    strike({ type: 'status', status: 503 }, { phase: 'headers' });
    const headers = { 'content-length': '1000' };
    const call = client.start('/v1/messages', { method: 'POST', headers });
    call.flushHeaders();
    const response = await client.head(call);
    assert.equal(response.statusCode, 503);
    call.destroy();
  });

  it('of type delay answers normally, but later', async () => {
    strike({ type: 'delay', ms: 30 });
    const start = performance.now();
    assert.equal((await client.fetch('/v1/models')).status, 200);
    assert.ok(performance.now() - start >= 29);
    assert.equal((await upstream.waitFor(({ outcome }) => outcome === 'completed')).fault, 'delay');
  });

  it('of type stall takes the request and never answers, until the client gives up', async () => {
    strike({ type: 'stall' });
    const call = client.open('/v1/models');
    call.on('response', () => assert.fail('nothing may be answered'));
    await upstream.waitFor(({ fault }) => fault === 'stall');
    call.on('error', () => {}).destroy();
    await upstream.waitFor(({ outcome }) => outcome === 'aborted');
  });

  it('of type stall stops a stream after its chunks and keeps the connection open', async () => {
    strike({ type: 'stall', afterChunks: 2 });
    const call = client.open('/v1/chat/completions', chatStream('marker:M chunks:5'));
    const response = await client.head(call);
    let seen = '';
    for await (const piece of response) {
      seen += piece;
      if (seen.split('M ').length === 3) break;
    }
    assert.equal((await upstream.waitFor(({ chunksSent }) => chunksSent === 2)).outcome, 'active');
    await upstream.waitFor(({ outcome }) => outcome === 'aborted');
  });

  it('of type cut ends the connection after its chunks, without the end of the stream', async () => {
    strike({ type: 'cut', afterChunks: 3 });
    const { seen, error } = await broken('/v1/chat/completions', 'marker:M chunks:5');
    assert.equal(seen.split('M ').length - 1, 3);
    assert.match(error, /aborted|ECONNRESET/);
    assert.equal((await faulted()).chunksSent, 3);
  });

  it('of type cut can end the connection after a number of bytes, or after the head', async () => {
    for (const afterBytes of [0, 10]) {
      strike({ type: 'cut', afterBytes });
      const { seen } = await broken('/v1/chat/completions', 'hello');
      assert.equal(seen.length, afterBytes);
    }
    strike({ type: 'cut', afterBytes: 12 });
    const response = await client.head(client.open('/v1/models'));
    assert.equal((await drain(response)).seen, '{"object":"l');
  });

  it('of type reset answers with an RST, at once or in the middle of the stream', async () => {
    strike({ type: 'reset' });
    await assert.rejects(client.fetch('/v1/models'), { code: 'ECONNRESET' });
    strike({ type: 'reset', afterChunks: 1 });
    const { seen } = await broken('/v1/chat/completions', 'marker:M chunks:5 interval:5');
    assert.equal(seen.split('M ').length - 1, 1);
  });

  it('of type close ends the connection without a byte', async () => {
    strike({ type: 'close' });
    assert.equal(await rawAnswer(), '');
    await faulted();
  });

  it('of type slowHeaders sends the head slowly and the normal body after it', async () => {
    strike({ type: 'slowHeaders', intervalMs: 1 });
    const { status, text } = await client.fetch('/v1/models');
    assert.equal(status, 200);
    assert.equal(JSON.parse(text).object, 'list');
    const stream = await client.fetch('/v1/chat/completions', chatStream('hello'));
    assert.ok(stream.text.endsWith('[DONE]\n\n'));
  });

  it('of type badLength promises more bytes than it sends', async () => {
    strike({ type: 'badLength', extraBytes: 5 });
    const response = await client.head(client.open('/v1/models'));
    const { seen, error } = await drain(response);
    assert.equal(Number(response.headers['content-length']), seen.length + 5);
    assert.match(error, /aborted|ECONNRESET/);
  });

  it('of type garbage answers with something that is not HTTP', async () => {
    strike({ type: 'garbage' });
    await assert.rejects(client.fetch('/v1/models'), { code: /^HPE_/ });
  });

  it('can refuse, reset or cut a WebSocket', async () => {
    strike({ type: 'status', status: 503 });
    const [refusal] = await once(realtime(), 'error');
    assert.match(refusal.message, /503/);
    strike({ type: 'reset' });
    const [reset] = await once(realtime(), 'error');
    assert.equal(reset.code, 'ECONNRESET');
    strike({ type: 'cut', afterChunks: 1 });
    const socket = realtime();
    await once(socket, 'open');
    socket.send('one');
    await once(socket, 'message');
    const [code] = await once(socket, 'close');
    assert.equal(code, 1006);
  });

  it('can be set, read and refused over the control interface', async () => {
    const put = async (body: string): Promise<Response> =>
      fetch(`${upstream.origin}/_control/faults`, { method: 'PUT', body });
    const rules = [{ id: 'r', times: 2, fault: { type: 'cut', afterChunks: 1 } }];
    assert.equal((await put(JSON.stringify(rules))).status, 200);
    const read = await (await fetch(`${upstream.origin}/_control/faults`)).json();
    assert.deepEqual(read, [{ ...rules[0], struck: 0 }]);
    const complaints = new Map([
      ['{', 'faults: expected a JSON array of rules'],
      ['[{}]', 'faults[0].fault: expected an object'],
      ['[{"fault":{"type":"cut"}}]', 'faults[0].fault: expected exactly one of afterChunks, afterBytes'],
      ['[{"fault":{"type":"delay","ms":-1}}]', 'faults[0].fault.ms: expected a whole number of at least 0'],
      ['[{"fault":{"type":"close","ms":1}}]', 'faults[0].fault: unknown property "ms" (known: type)'],
    ]);
    for (const [body, error] of complaints) {
      const response = await put(body);
      assert.equal(response.status, 400);
      assert.deepEqual(await response.json(), { error });
    }
    assert.equal(upstream.faults.length, 1);
  });

  async function broken(path: string, text: string): Promise<{ seen: string; error: string }> {
    return drain(await client.head(client.open(path, chatStream(text))));
  }

  function realtime(): WebSocket {
    const headers = { authorization: `Bearer ${client.token}` };
    return new WebSocket(`${upstream.url.replace('http', 'ws')}/v1/realtime`, { headers });
  }

  async function rawAnswer(): Promise<string> {
    const socket = connect(upstream.port, '127.0.0.1');
    const { pathname } = new URL(`${upstream.url}/v1/models`);
    socket.write(`GET ${pathname} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${client.token}\r\n\r\n`);
    let seen = '';
    for await (const piece of socket) seen += piece;
    return seen;
  }
});

async function drain(response: IncomingMessage): Promise<{ seen: string; error: string }> {
  let seen = '';
  try {
    for await (const piece of response) seen += piece;
  } catch (error) {
    return { seen, error: String(error) };
  }
  return assert.fail('the answer must not end properly');
}
