// Smooth weighted round-robin over the whole service.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { generateCredentials } from '../../ops/simulated-upstream/server.ts';
import { call } from '../harness/http-call.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { type Stack, startStack } from '../harness/stack.ts';

async function send({ proxy }: Stack, count: number, connections: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const each = Array.from({ length: count }, () => call(`${proxy.url}/v1/models`, { agent }));
  for (const { status } of await Promise.all(each)) assert.equal(status, 200);
  agent.destroy();
}

for (const connections of [1, 3, 50]) {
  test(`1,000 requests on ${connections} connections use each of 3 credentials 333 ± 5 times`, async () => {
    const stack = await sharedStack();
    await send(stack, 1_000, connections);
    for (const { clientId } of stack.credentials) {
      const count = stack.upstream.stats().byCredential[clientId] ?? 0;
      assert.ok(Math.abs(count - 333) <= 5, `${count}`);
    }
  });
}

test('one worker alternates exactly in order', async (t) => {
  const stack = await startStack({ settings: { NUM_WORKERS: 1 } }, t);
  await send(stack, 9, 1);
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
  await send(stack, 400, 10);
  const counts = stack.upstream.stats().byCredential;
  assert.ok(Math.abs((counts[a.clientId] ?? 0) - 300) <= 3, JSON.stringify(counts));
});
