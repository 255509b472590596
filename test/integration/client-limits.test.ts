// The limits of client keys hold over all workers: real processes, two workers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { eventually, within } from '../harness/eventually.ts';
import { type Answer, call, chatPost, openCall, readAnswer } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { stopProcess } from '../harness/stop-process.ts';
import { bearer, ClientKeysFile } from './client-keys-file.ts';

const CHAT = '/v1/chat/completions';

const chat = ({ proxy }: Stack, key: string): Promise<Answer> =>
  call(`${proxy.url}${CHAT}`, { ...chatPost('hi'), headers: bearer(key) });
const codeOf = ({ text }: Answer): unknown => JSON.parse(text).error.code;

/** A stream that goes on until the upstream, or the test, ends it. */
async function openStream({ proxy }: Stack, key: string): Promise<IncomingMessage> {
  const post = chatPost('chunks:10000 interval:50', true);
  const response = await openCall(`${proxy.url}${CHAT}`, { ...post, headers: bearer(key) });
  response.on('error', () => {});
  return response;
}

/** Tries until a place is free. */
function freed(stack: Stack, key: string): Promise<true> {
  return eventually('a free place', async () => ((await chat(stack, key)).status === 200 ? true : undefined));
}

async function stackWith(t: Parameters<typeof startStack>[1] & object, file: ClientKeysFile): Promise<Stack> {
  return startStack({ settings: { CLIENT_KEYS_FILE: file.path } }, t);
}

test('requests per minute are counted over all workers, and Retry-After tells when the next one will do', async (t) => {
  const file = new ClientKeysFile(t);
  const [slow, free] = [await file.add('slow', { requestsPerMinute: 7 }), await file.add('free')];
  const stack = await stackWith(t, file);
  const answers = await Promise.all(Array.from({ length: 20 }, () => chat(stack, slow)));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.equal(answers.length - refused.length, 7);
  for (const answer of refused) {
    assert.deepEqual([answer.status, codeOf(answer)], [429, 'client_rate_limited']);
    const seconds = Number(answer.headers['retry-after']);
    assert.ok(seconds > 50 && seconds <= 60, String(seconds));
  }
  for (const worker of [0, 1])
    await stack.proxy.waitForLog((line) => line['worker'] === worker && line['client'] === 'slow');
  assert.equal((await chat(stack, free)).status, 200);
  const anthropic = await call(`${stack.proxy.url}/v1/messages/count_tokens`, {
    ...chatPost('x'),
    headers: bearer(slow),
  });
  assert.deepEqual([anthropic.status, JSON.parse(anthropic.text).error.type], [429, 'rate_limit_error']);
});

test('exchanges at a time are counted over all workers, and each end makes room', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { concurrent: 2 });
  const stack = await stackWith(t, file);
  const first = await openStream(stack, key);
  const second = await openStream(stack, key);
  const refused = await chat(stack, key);
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'client_concurrency_limited']);
  assert.equal(refused.headers['retry-after'], '1');
  first.destroy();
  await freed(stack, key);
  second.destroy();
  await freed(stack, key);
});

test('a WebSocket takes a place until it closes', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { concurrent: 1 });
  const stack = await stackWith(t, file);
  const url = `${stack.proxy.url.replace('http', 'ws')}/v1/realtime?model=gpt-4o`;
  const socket = new WebSocket(url, { headers: bearer(key) });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  assert.equal((await chat(stack, key)).status, 429);
  const other = new WebSocket(url, { headers: bearer(key) });
  other.on('error', () => {});
  const response = await new Promise<IncomingMessage>((resolve) => {
    other.once('unexpected-response', (_request, answer) => resolve(answer));
  });
  assert.deepEqual([response.statusCode, response.headers['retry-after']], [429, '1']);
  assert.equal(JSON.parse((await readAnswer(response)).text).error.code, 'client_concurrency_limited');
  socket.close();
  await freed(stack, key);
});

test('a worker that dies gives back what its exchanges held', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci', { concurrent: 2 });
  // A port of its own: with both workers gone nobody listens for a moment, and then on the same one again.
  const settings = { CLIENT_KEYS_FILE: file.path, PORT: await freePort() };
  const stack = await startStack({ settings }, t);
  await Promise.all([openStream(stack, key), openStream(stack, key)]);
  assert.equal((await chat(stack, key)).status, 429);
  for (const pid of stack.proxy.workerPids()) process.kill(pid, 'SIGKILL');
  await eventually('new workers', async () => {
    // A connection that was handed to a worker that is being killed hangs.
    const answer = await within('the answer', 1_000, chat(stack, key)).catch(() => undefined);
    return answer?.status === 200 ? true : undefined;
  });
});

test('limits that are changed in the file hold without a restart', async (t) => {
  const file = new ClientKeysFile(t);
  const key = await file.add('ci');
  const stack = await stackWith(t, file);
  assert.equal((await chat(stack, key)).status, 200);
  const content: { keys: object[] } = JSON.parse(readFileSync(file.path, 'utf8'));
  file.write(JSON.stringify({ keys: content.keys.map((entry) => ({ ...entry, requestsPerMinute: 2 })) }));
  await stack.proxy.waitForLog(({ msg }) => msg === 'Client keys changed: changed ci; 1 now');
  const statuses: number[] = [];
  while (statuses.length < 10) statuses.push((await chat(stack, key)).status);
  assert.deepEqual(statuses, [200, 200, ...Array(8).fill(429)]);
});

test('a primary that does not answer lets no limited key in, and all others as before', async (t) => {
  const file = new ClientKeysFile(t);
  const [limited, free] = [await file.add('limited', { concurrent: 5 }), await file.add('free')];
  const stack = await stackWith(t, file);
  // Only a connection that a worker has already taken can be served while the primary, which accepts, stands still.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const post = (key: string) =>
    call(`${stack.proxy.url}${CHAT}`, { ...chatPost('hi'), headers: bearer(key), agent });
  assert.equal((await post(limited)).status, 200);
  await stopProcess(stack.proxy.pid);
  t.after(() => stack.proxy.kill('SIGCONT'));
  const refused = await post(limited);
  assert.deepEqual([refused.status, codeOf(refused)], [503, 'client_limits_unavailable']);
  assert.equal((await post(free)).status, 200);
  stack.proxy.kill('SIGCONT');
  assert.equal((await post(limited)).status, 200);
});
