// Several flow-proxies with the same secrets, as in Kubernetes: what they agree on without talking, and what each finds
// out for itself. docs/scaling.md has the figures.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type FlowProxy, startFlowProxy } from '../harness/flow-proxy.ts';
import { call, jsonPost } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CREDENTIALS = 5;
const CHAT = '/v1/chat/completions';

/** A chat request, of a conversation or of none. */
function chat(session?: string): ReturnType<typeof jsonPost> {
  const headers = session === undefined ? {} : { 'x-claude-code-session-id': session };
  return jsonPost({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] }, headers);
}

describe('three replicas with the same secrets', () => {
  let stack: Stack;
  let replicas: readonly FlowProxy[];

  before(async () => {
    const settings = { NUM_WORKERS: 1 };
    stack = await startStack({ credentials: CREDENTIALS, settings });
    const { credentials, upstream } = stack;
    const others = [1, 2].map(() => startFlowProxy({ upstream: upstream.url, credentials, settings }));
    replicas = [stack.proxy, ...(await Promise.all(others))];
  });
  after(() => Promise.all([stack.close(), ...replicas.slice(1).map((replica) => replica.end())]));
  beforeEach(() => stack.reset());

  /** One request after another, each to the next replica. */
  async function ask(count: number, request: (index: number) => ReturnType<typeof jsonPost>): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const { url } = replicas[i % replicas.length] ?? stack.proxy;
      assert.equal((await call(`${url}${CHAT}`, request(i))).status, 200);
    }
  }

  test('a conversation is on the same credential whichever replica it comes to', async () => {
    for (let session = 0; session < 20; session += 1) {
      stack.upstream.clearRequests();
      await ask(replicas.length, () => chat(`session-${session}`));
      assert.equal(new Set(stack.upstream.requests.map(({ clientId }) => clientId)).size, 1);
    }
  });

  test('requests without a conversation are spread evenly over all of them together', async () => {
    await ask(300, () => chat());
    const counts = new Map<string | null, number>();
    for (const { clientId } of stack.upstream.requests) counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
    assert.deepEqual([...counts.values()], Array(CREDENTIALS).fill(60));
  });

  test('each finds out for itself that a credential is refused: one attempt apiece, seen by no client', async () => {
    const credential = stack.credentials[0]?.clientId ?? '';
    stack.upstream.setFaults([{ credential, fault: { type: 'status', status: 401 } }]);
    await ask(90, () => chat());
    const refused = stack.upstream.requests.filter(({ clientId }) => clientId === credential);
    assert.equal(refused.length, replicas.length);
  });
});
