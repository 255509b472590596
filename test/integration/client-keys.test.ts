// Client keys, as clients and operators see them: real processes, two workers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { after, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { WebSocket } from 'ws';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { call, chatPost, jsonPost } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { bearer, ClientKeysFile } from './client-keys-file.ts';

const CHAT = '/v1/chat/completions';
const MESSAGES = '/v1/messages';
const QUESTION = { max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };

/** For tests that leave the keys as they were. */
const lasting = new ClientKeysFile({ after });
const key = await lasting.add('ci');
const lastingStack = (): Promise<Stack> => sharedStack({ settings: { CLIENT_KEYS_FILE: lasting.path } });

const health = async ({ proxy }: Stack): Promise<Record<string, Record<string, unknown>>> =>
  JSON.parse((await call(`${proxy.url}/health`)).text);

test('a client key is accepted as a bearer token and as x-api-key, and is not sent on', async () => {
  const stack = await lastingStack();
  const { proxy, upstream } = stack;
  for (const headers of [bearer(key), { 'x-api-key': key }, { ...bearer('none'), 'x-api-key': key }]) {
    const answer = await call(`${proxy.url}${CHAT}`, { ...chatPost('hi'), headers });
    assert.equal(answer.status, 200, answer.text);
    const line = await proxy.waitForExchange(String(answer.headers['x-request-id']));
    assert.equal(line['client'], 'ci');
  }
  assert.equal(upstream.requests.length, 3);
  assert.ok(!JSON.stringify(upstream.requests).includes(key));
  assert.ok(!`${proxy.stdout}${proxy.stderr}`.includes(key));
});

test('a wrong key, or none, is answered 401 in the dialect of the path, counted, and logged without the key', async (t) => {
  const file = new ClientKeysFile(t);
  await file.add('ci');
  const settings = { CLIENT_KEYS_FILE: file.path, LOG_LEVEL: 'DEBUG' };
  const stack = await startStack({ settings }, t);
  const { proxy, upstream } = stack;
  const canary = 'fp_canary-canary-canary';
  const openai = await call(`${proxy.url}${CHAT}`, { ...chatPost('hi'), headers: bearer(canary) });
  assert.equal(openai.status, 401);
  assert.equal(openai.headers['www-authenticate'], 'Bearer realm="flow-proxy"');
  const { error } = JSON.parse(openai.text);
  assert.deepEqual([error.type, error.code], ['authentication_error', 'invalid_client_key']);
  const anthropic = await call(`${proxy.url}${MESSAGES}`, jsonPost(QUESTION, { 'x-api-key': canary }));
  assert.equal(anthropic.status, 401);
  const body = JSON.parse(anthropic.text);
  assert.deepEqual([body.type, body.error.type], ['error', 'authentication_error']);
  const none = await call(`${proxy.url}/v1/models`);
  assert.deepEqual([none.status, JSON.parse(none.text).error.code], [401, 'missing_client_key']);

  const line = await proxy.waitForExchange(String(openai.headers['x-request-id']));
  assert.deepEqual(
    [line.level, line['error'], line['detail']],
    ['WARNING', 'invalid_client_key', 'from 127.0.0.1'],
  );
  const refused = await eventually('the count of wrong keys in /health', async () => {
    const { clients } = await health(stack);
    return JSON.stringify(clients?.['refused']).includes('"key":3') ? clients : undefined;
  });
  assert.deepEqual(refused, {
    access: 'keys',
    keys: 1,
    refused: { address: 0, key: 3, model: 0, limit: 0 },
  });
  assert.equal(upstream.requests.length, 0);
  assert.ok(!`${proxy.stdout}${proxy.stderr}${openai.text}${anthropic.text}`.includes('canary'));
});

test('health routes need no key', async () => {
  const { proxy } = await lastingStack();
  for (const path of ['/', '/health', '/healthz', '/readyz']) {
    assert.equal((await call(`${proxy.url}${path}`)).status, 200, path);
  }
});

test('the real SDKs come in with their own headers, and raise their own error on a wrong key', async () => {
  const { proxy } = await lastingStack();
  const messages = [{ role: 'user' as const, content: 'hi' }];
  const openai = new OpenAI({ baseURL: `${proxy.url}/v1`, apiKey: key, maxRetries: 0 });
  await openai.chat.completions.create({ model: 'gpt-4o', messages });
  const anthropic = new Anthropic({ baseURL: proxy.url, apiKey: key, maxRetries: 0 });
  await anthropic.messages.create({ model: 'claude-4-5-sonnet', max_tokens: 9, messages });
  const wrong = { apiKey: 'fp_wrong', maxRetries: 0 };
  await assert.rejects(
    new OpenAI({ baseURL: `${proxy.url}/v1`, ...wrong }).models.list(),
    OpenAI.AuthenticationError,
  );
  await assert.rejects(
    new Anthropic({ baseURL: proxy.url, ...wrong }).messages.create({
      model: 'claude-4-5-sonnet',
      max_tokens: 9,
      messages,
    }),
    Anthropic.AuthenticationError,
  );
});

test('a request without a key is refused before its body is taken in, and the connection stays usable', async (t) => {
  const { proxy } = await lastingStack();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const upload = { method: 'POST', body: Buffer.alloc(3 * 1024 * 1024, 'x'), agent };
  const answer = await call(`${proxy.url}${CHAT}`, upload);
  assert.deepEqual([answer.status, answer.headers.connection], [401, 'keep-alive']);
  assert.equal((await call(`${proxy.url}${CHAT}`, upload)).status, 401);
});

test('a WebSocket needs a key as well', async () => {
  const { proxy, upstream } = await lastingStack();
  const url = `${proxy.url.replace('http', 'ws')}/v1/realtime?model=gpt-4o`;
  assert.equal(await refusalOf(new WebSocket(url)), 401);
  assert.equal(await refusalOf(new WebSocket(url, { headers: bearer('fp_wrong') })), 401);
  const socket = new WebSocket(url, { headers: bearer(key) });
  assert.equal(await echo(socket, 'hello'), 'hello');
  socket.close();
  assert.equal(upstream.requests.length, 1);
  assert.ok(!JSON.stringify(upstream.requests).includes(key));
});

test('keys that are added, rotated and revoked take effect without a restart', async (t) => {
  const file = new ClientKeysFile(t);
  await file.add('first');
  const { proxy } = await startStack({ settings: { CLIENT_KEYS_FILE: file.path } }, t);
  const pids = proxy.workerPids();
  const statusWith = async (key: string): Promise<number> =>
    (await call(`${proxy.url}/v1/models`, { headers: bearer(key) })).status;
  /** Every worker, since each takes its turn. */
  const becomes = (key: string, status: number): Promise<true> =>
    eventually(`status ${status}`, async () => {
      const statuses = await Promise.all([1, 2, 3, 4].map(() => statusWith(key)));
      return statuses.every((seen) => seen === status) ? true : undefined;
    });

  const added = await runFlowProxy({ args: ['keys', 'add', 'second', '--client-keys-file', file.path] });
  const second = added.stdout.trim();
  await becomes(second, 200);
  const rotated = await file.rotate('second');
  await becomes(rotated, 200);
  assert.equal(await statusWith(second), 401);
  await file.revoke('second');
  await becomes(rotated, 401);
  assert.deepEqual(proxy.workerPids(), pids);
  await proxy.waitForLog(({ msg }) => msg === 'Client keys changed: removed second; 1 now');
});

test('a broken file of keys is refused with one line, and the keys go on', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci');
  const good = readFileSync(file.path, 'utf8');
  const { proxy } = await startStack({ settings: { CLIENT_KEYS_FILE: file.path } }, t);
  file.write('{"keys": [{"name": "fp_canary", "hash": "fp_canary"}]}');
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('The client keys stay as they are'));
  assert.equal(line.level, 'ERROR');
  assert.match(line.msg, /key 1 \("fp_canary"\): hash must be "sha256:"/);
  assert.equal((await call(`${proxy.url}/v1/models`, { headers: bearer(key) })).status, 200);
  file.write(good);
  const other = await file.add('other');
  await eventually('the next good file', async () => {
    const { status } = await call(`${proxy.url}/v1/models`, { headers: bearer(other) });
    return status === 200 ? true : undefined;
  });
});

test('a key for certain models may use these only', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { models: ['gpt-4o*', 'claude-*'] });
  const { proxy, upstream } = await startStack({ settings: { CLIENT_KEYS_FILE: file.path } }, t);
  const post = (path: string, model: string) =>
    call(`${proxy.url}${path}`, jsonPost({ model, ...QUESTION }, bearer(key)));
  assert.equal((await post(CHAT, 'gpt-4o-mini')).status, 200);
  assert.equal((await post(MESSAGES, 'claude-4-5-sonnet')).status, 200);
  assert.equal((await call(`${proxy.url}/v1/models`, { headers: bearer(key) })).status, 200);
  const sent = upstream.requests.length;
  const openai = await post(CHAT, 'gpt-5');
  assert.deepEqual([openai.status, JSON.parse(openai.text).error.code], [403, 'model_not_allowed']);
  const anthropic = await post(MESSAGES, 'anthropic.claude-4-sonnet');
  assert.deepEqual([anthropic.status, JSON.parse(anthropic.text).error.type], [403, 'permission_error']);
  const realtime = `${proxy.url.replace('http', 'ws')}/v1/realtime`;
  assert.equal(await refusalOf(new WebSocket(`${realtime}?model=gpt-5`, { headers: bearer(key) })), 403);
  assert.equal(upstream.requests.length, sent);
});

test('a client that asked before it sent, and is refused for what it sent, keeps its connection', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { models: ['gpt-4o*'] });
  const { proxy } = await startStack({ settings: { CLIENT_KEYS_FILE: file.path } }, t);
  const connection = await RawConnection.open(proxy.port);
  const body = JSON.stringify({ model: 'gpt-5', ...QUESTION });
  const headers = [`Authorization: Bearer ${key}`, 'Expect: 100-continue', `Content-Length: ${body.length}`];
  for (let time = 0; time < 2; time += 1) {
    connection.writeHead(`POST ${CHAT} HTTP/1.1`, 'Host: a', ...headers);
    assert.equal(String(await connection.readThrough('\r\n\r\n')), 'HTTP/1.1 100 Continue\r\n\r\n');
    connection.write(body);
    assert.match((await connection.readMessage()).head, /^HTTP\/1\.1 403 /);
  }
  connection.destroy();
});

test('a key for certain models has large bodies read as well', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { models: ['gpt-4o*'] });
  const settings = { CLIENT_KEYS_FILE: file.path, KEEP_BODY_MB: 0.01 };
  const { proxy } = await startStack({ settings }, t);
  const large = (model: string) => ({ messages: [{ role: 'user', content: 'x'.repeat(200_000) }], model });
  const post = async (model: string): Promise<number> =>
    (await call(`${proxy.url}${CHAT}`, jsonPost(large(model), bearer(key)))).status;
  assert.equal(await post('gpt-4o'), 200);
  assert.equal(await post('gpt-5'), 403);
});

test('a file of keys without any lets nobody in', async (t) => {
  const file = new ClientKeysFile(t);
  file.write('{"keys": []}');
  const { proxy } = await startStack({ settings: { CLIENT_KEYS_FILE: file.path, HOST: '0.0.0.0' } }, t);
  assert.equal((await call(`${proxy.url}/v1/models`, { headers: bearer('') })).status, 401);
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('Listening on 0.0.0.0'));
  assert.match(line.msg, /nobody: there are no client keys/);
});

async function refusalOf(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.once('open', () => resolve(undefined));
  });
}

function echo(socket: WebSocket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('message', (data) => resolve(String(data)));
    socket.once('open', () => socket.send(text));
  });
}
