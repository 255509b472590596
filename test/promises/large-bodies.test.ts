// Large request bodies go out whole, rewritten or not, in whatever pieces they come, and again at a second attempt.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { readAnswer } from '../harness/http-call.ts';
import { startRawUpstream } from '../harness/raw-upstream.ts';
import { sharedStack } from '../harness/shared-stack.ts';

const ONE = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
const CUT = `"context_management":{"edits":[${'{"type":"é"},'.repeat(60_000)}0]},`;
const rest = (bytes: number): string =>
  `"max_tokens":9,"messages":[{"role":"user","content":"marker:L ${'ü'.repeat(bytes / 2)}"}]}`;

/** @param lengths how much of the body each write takes; the last goes on to the end */
async function send(url: string, path: string, body: Buffer, lengths: readonly number[]): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const outgoing = request(`${url}${path}`, { method: 'POST', agent: false, headers });
  const answered = new Promise<number>((resolve, reject) => {
    outgoing.once('error', reject).once('response', (response) => {
      readAnswer(response).then(({ status }) => resolve(status), reject);
    });
  });
  let from = 0;
  for (const length of lengths) {
    const piece = body.subarray(from, from + length);
    await new Promise((resolve) => outgoing.write(piece, resolve));
    from += length;
  }
  outgoing.end(body.subarray(from));
  return answered;
}

for (const [what, path, before, wanted] of [
  ['with a rewrite', '/v1/messages', CUT, rest(3_000_000)],
  ['of which a rewrite leaves next to nothing', '/v1/messages', CUT, rest(20)],
  ['in which a rewrite finds nothing', '/v1/messages', '', rest(2_000_000)],
  ['without a rewrite', '/v1/chat/completions', '', rest(2_000_000)],
] as const) {
  test(`a large body ${what} goes out right at both attempts`, async () => {
    const { upstream, proxy } = await sharedStack({ credentials: 2 });
    const model = '{"model":"claude-4-5-sonnet",';
    const body = Buffer.from(`${model}${before}${wanted}`);
    upstream.setFaults([{ times: 1, fault: { type: 'status', status: 503 } }]);
    assert.equal(await send(proxy.url, path, body, []), 200);
    assert.equal(await send(proxy.url, path, body, [1, 3, 70_000, 4_096, 1, 300_000]), 200);
    const digest = createHash('sha256').update(`${model}${wanted}`).digest('hex');
    const { requests } = upstream;
    assert.deepEqual([...new Set(requests.map(({ bodySha256 }) => bodySha256))], [digest]);
    assert.deepEqual(requests.map(({ status }) => status).toSorted(), [200, 200, 503]);
  });
}

test('an answer that comes in the middle of a large body is passed on, and its connection not used again', async (t) => {
  const upstream = await startRawUpstream(t);
  const settings = { NUM_WORKERS: 1 };
  const proxy = await startFlowProxy({ upstream: `${upstream.url}/base`, credentials: ONE, settings }, t);
  const answering = send(proxy.url, '/v1/echo', Buffer.from(rest(12_000_000)), []);
  const early = await upstream.connection();
  await early.readThrough('messages');
  early.writeHead('HTTP/1.1 400 Bad Request', 'Content-Length: 0');
  assert.equal(await answering, 400);
  const next = send(proxy.url, '/v1/echo', Buffer.from('{}'), []);
  const fresh = await upstream.connection();
  await fresh.readMessage();
  fresh.writeHead('HTTP/1.1 200 OK', 'Content-Length: 0');
  assert.equal(await next, 200);
});
