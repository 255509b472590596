// Load by the tools that operators use, against a foreground run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { chatPost } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

const run = promisify(execFile);

for (const keepAlive of [[], ['-k']]) {
  test(`ab -n 2000 -c 50 ${keepAlive.join('')} sees no failed request (needs Debian's apache2-utils)`, async (t) => {
    const { proxy, upstream } = await startStack({}, t);
    const { stdout } = await run('ab', [...keepAlive, '-n', '2000', '-c', '50', `${proxy.url}/v1/models`]);
    assert.match(stdout, /Complete requests: +2000/);
    assert.match(stdout, /Failed requests: +0/);
    assert.doesNotMatch(stdout, /Non-2xx/);
    assert.equal(upstream.requests.length, 2_000);
  });
}

test('autocannon sees no failed request', async (t) => {
  const { proxy } = await startStack({}, t);
  const result = await autocannon({
    url: `${proxy.url}/v1/chat/completions`,
    connections: 40,
    amount: 3_000,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: chatPost('hello').body,
  });
  assert.equal(result['2xx'], 3_000);
  assert.equal(result.errors + result.timeouts + result.non2xx, 0);
});
