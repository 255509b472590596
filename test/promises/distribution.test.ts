// Smooth weighted round-robin over the whole service.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { generateCredentials } from '../../ops/simulated-upstream/server.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { type Stack, startStack } from '../harness/stack.ts';

interface Sending {
  readonly count: number;
  readonly connections: number;
  readonly keepAlive?: boolean;
  /** Chats that all say the same, instead of questions for models. */
  readonly isChat?: boolean;
}

async function send({ proxy }: Stack, options: Sending): Promise<void> {
  const { count, connections, keepAlive = true, isChat = false } = options;
  const agent = new Agent({ keepAlive, maxSockets: connections });
  const [path, request] = isChat ? ['/v1/chat/completions', chatPost('hello')] : ['/v1/models', {}];
  const each = Array.from({ length: count }, () => call(proxy.url + path, { ...request, agent }));
  for (const { status } of await Promise.all(each)) assert.equal(status, 200);
  agent.destroy();
}

for (const [what, sending] of [
  ['on one connection', { connections: 1 }],
  ['on 3 connections', { connections: 3, isChat: true }],
  ['on 50 connections', { connections: 50 }],
  ['each on its own connection', { connections: 20, keepAlive: false }],
] as const) {
  test(`1,000 requests ${what} use each of 3 credentials 333 ± 5 times`, async () => {
    const stack = await sharedStack();
    await send(stack, { count: 1_000, ...sending });
    for (const { clientId } of stack.credentials) {
      const count = stack.upstream.stats().byCredential[clientId] ?? 0;
      assert.ok(Math.abs(count - 333) <= 5, `${count}`);
    }
  });
}

test('one worker alternates exactly in order', async (t) => {
  const stack = await startStack({ settings: { NUM_WORKERS: 1 } }, t);
  await send(stack, { count: 9, connections: 1 });
  const used = stack.upstream.requests.map(({ clientId }) => clientId);
  const [a, b, c] = stack.credentials.map(({ clientId }) => clientId);
  assert.deepEqual(used, [a, b, c, a, b, c, a, b, c]);
});

test('weights and repeated entries count', async (t) => {
  const [a, b] = generateCredentials(2);
  assert.ok(a && b);
  const credentials = [
    { ...a, name: 'a', weight: 2 },
    { ...b, name: 'b' },
    { ...a, name: 'a' },
  ];
  const stack = await startStack({ credentials }, t);
  await send(stack, { count: 400, connections: 10 });
  const counts = stack.upstream.stats().byCredential;
  assert.ok(Math.abs((counts[a.clientId] ?? 0) - 300) <= 3, JSON.stringify(counts));
});
