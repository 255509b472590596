// One conversation, one credential: for the sake of the provider's prompt cache.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, jsonPost } from '../harness/http-call.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const MESSAGES = [{ role: 'user', content: 'x' }];

/** How many credentials served each of a few conversations of several requests. */
async function credentialsPerConversation(
  { upstream, proxy }: Stack,
  post: (conversation: string) => Parameters<typeof call>[1],
): Promise<number[]> {
  const counts: number[] = [];
  for (const conversation of ['one', 'two', 'three', 'four']) {
    upstream.clearRequests();
    for (let i = 0; i < 6; i += 1) {
      assert.equal((await call(`${proxy.url}/v1/chat/completions`, post(conversation))).status, 200);
    }
    counts.push(new Set(upstream.requests.map(({ clientId }) => clientId)).size);
  }
  return counts;
}

let turn = 0;
/** Another text with each request: what counts less must not matter. */
function changing(): string {
  turn += 1;
  return `changing-${turn}`;
}

/** In the order in which they count. */
const KEYS: readonly [string, (conversation: string) => Parameters<typeof call>[1]][] = [
  [
    'x-claude-code-session-id',
    (conversation) =>
      jsonPost(
        {
          model: 'gpt-4o',
          messages: MESSAGES,
          metadata: { user_id: changing() },
          prompt_cache_key: changing(),
        },
        { 'x-claude-code-session-id': conversation },
      ),
  ],
  [
    'metadata.user_id',
    (conversation) =>
      jsonPost({
        model: 'gpt-4o',
        prompt_cache_key: changing(),
        metadata: { user_id: conversation },
        messages: MESSAGES,
      }),
  ],
  [
    'prompt_cache_key',
    (conversation) => jsonPost({ model: 'gpt-4o', messages: MESSAGES, prompt_cache_key: conversation }),
  ],
];

for (const [name, post] of KEYS) {
  test(`requests with the same ${name} stay on one credential over all workers`, async () => {
    const stack = await sharedStack({ credentials: 5 });
    assert.deepEqual(await credentialsPerConversation(stack, post), [1, 1, 1, 1]);
  });
}

test('affinity can be switched off', async (t) => {
  const stack = await startStack({ credentials: 5, settings: { AFFINITY: 'off' } }, t);
  const counts = await credentialsPerConversation(stack, (conversation) =>
    jsonPost({ model: 'gpt-4o', messages: MESSAGES }, { 'x-claude-code-session-id': conversation }),
  );
  assert.ok(counts.every((count) => count > 1));
});

test('a conversation whose credential is refused goes on with another one', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 3 }, t);
  const post = jsonPost({ model: 'gpt-4o', messages: MESSAGES }, { 'x-claude-code-session-id': 'mine' });
  await call(`${proxy.url}/v1/chat/completions`, post);
  const home = upstream.requests[0]?.clientId ?? '';
  upstream.setFaults([{ credential: home, fault: { type: 'status', status: 403 } }]);
  upstream.clearRequests();
  for (let i = 0; i < 8; i += 1) {
    assert.equal((await call(`${proxy.url}/v1/chat/completions`, post)).status, 200);
  }
  const served = upstream.requests.filter(({ status }) => status === 200).map(({ clientId }) => clientId);
  assert.equal(new Set(served).size, 1);
  assert.notEqual(served[0], home);
});
