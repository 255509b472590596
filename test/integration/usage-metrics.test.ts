// What requests and answers come to: their bytes and tokens, on /metrics, in log lines and in the report.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { generateCredentials } from '../../ops/simulated-upstream/server.ts';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { portOf } from '../harness/raw-upstream.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';
import { bearer, ClientKeysFile } from './client-keys-file.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const CHAT = '/v1/chat/completions';

test('Tokens count for the client key they were used by, refusals for their reason', async (t) => {
  const keys = new ClientKeysFile(t);
  const key = await keys.add('team-a');
  const settings = { ADMIN_LISTEN: '127.0.0.1:0', CLIENT_KEYS_FILE: keys.path, NUM_WORKERS: 1 };
  const { proxy } = await startStack({ settings }, t);
  const url = `${proxy.url}${CHAT}`;
  await call(url, { ...chatPost('hello chunks:7'), headers: { ...JSON_TYPE, ...bearer(key) } });
  await call(url, { ...chatPost('hello'), headers: { ...JSON_TYPE, ...bearer(`${key}x`) } });
  const own = await proxy.adminUrl();
  const seen = await eventually('both requests', async () => {
    const one = await scrape(own);
    return one.sum('flow_proxy_requests_total', { route: CHAT }) === 2 ? one : undefined;
  });
  assert.equal(seen.sum('flow_proxy_output_tokens_total', { client: 'team-a' }), 7);
  assert.equal(seen.sum('flow_proxy_output_tokens_total'), 7);
  assert.equal(seen.sum('flow_proxy_client_refusals_total', { reason: 'key' }), 1);
  assert.ok(!seen.text.includes(key));
});

test('Tokens of a compressed answer count, too, also in its log line and the report, and the client gets its very bytes', async (t) => {
  // Large, so that it takes a while to unpack.
  const content = randomBytes(150_000).toString('base64');
  const usage = { prompt_tokens: 21, completion_tokens: 4 };
  const packed = gzipSync(JSON.stringify({ choices: [{ message: { content } }], usage }));
  const held: (() => void)[] = [];
  const upstream = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    if (request.headers['x-hold'] === undefined) response.end(packed);
    else {
      response.flushHeaders();
      held.push(() => response.end(packed));
    }
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => upstream.close());
  const settings = { ADMIN_LISTEN: '127.0.0.1:0', NUM_WORKERS: 1 };
  const credentials = generateCredentials(2);
  const proxy = await startFlowProxy(
    { upstream: `http://127.0.0.1:${portOf(upstream)}`, credentials, settings, logToFile: true },
    t,
  );
  const { body } = await call(`${proxy.url}${CHAT}`, chatPost('hello'));
  assert.deepEqual(body, packed);
  const own = await proxy.adminUrl();
  await eventually('the tokens', async () => {
    const seen = await scrape(own);
    const input = seen.sum('flow_proxy_input_tokens_total', { model: 'gpt-4o' });
    return input === 21 && seen.sum('flow_proxy_output_tokens_total') === 4 ? true : undefined;
  });
  // The service ends with these answers: their lines wait for the tokens, and its end for their lines.
  const ids = ['last-1', 'last-2', 'last-3'];
  const last = ids.map((id) => {
    const headers = { ...JSON_TYPE, 'x-request-id': id, 'x-hold': 'until it drains' };
    return call(`${proxy.url}${CHAT}`, { ...chatPost('hello'), headers });
  });
  await eventually('all of them', () => (held.length === ids.length ? true : undefined));
  const stopped = proxy.stop();
  await proxy.waitForLog(({ msg }) => msg.includes('draining'));
  for (const answer of held) answer();
  await Promise.all(last);
  assert.equal(await stopped, 0);
  for (const id of ids) {
    const { tokensIn, tokensOut } = await proxy.waitForExchange(id);
    assert.deepEqual([tokensIn, tokensOut], [21, 4], id);
  }
  const { stdout } = await runFlowProxy({ args: ['report', '--json', String(proxy.logFile)] });
  const [{ name, exchanges, tokensIn, tokensOut }] = JSON.parse(stdout).models;
  assert.deepEqual([name, exchanges, tokensIn, tokensOut], ['gpt-4o', 4, 84, 16]);
});

test('Bytes of a request count as they came, whole or in chunks, kept or streamed', async (t) => {
  const settings = { ADMIN_LISTEN: '127.0.0.1:0', NUM_WORKERS: 1, KEEP_BODY_MB: 0.01 };
  const { proxy } = await startStack({ settings }, t);
  const large = JSON.stringify({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'x'.repeat(50_000) }],
  });
  const small = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }] });
  let sent = 0;
  for (const text of [large, small]) {
    for (const framing of [{ 'transfer-encoding': 'chunked' }, { 'content-length': String(text.length) }]) {
      const id = `sent-${sent}`;
      const headers = { 'content-type': 'application/json', 'x-request-id': id, ...framing };
      const { status } = await call(`${proxy.url}${CHAT}`, { method: 'POST', headers, body: text });
      assert.equal(status, 200);
      assert.equal((await proxy.waitForExchange(id))['bytesIn'], text.length, id);
      sent += text.length;
    }
  }
  const own = await proxy.adminUrl();
  await eventually('the bytes', async () => {
    const seen = await scrape(own);
    return seen.sum('flow_proxy_request_body_bytes_total', { route: CHAT }) === sent ? true : undefined;
  });
});
