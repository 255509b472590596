import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { eventually } from '../harness/eventually.ts';
import { call, jsonPost, openCall } from '../harness/http-call.ts';
import { type Sample, type Scrape, scrape } from '../harness/scrape.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';
let stack: Stack;
let admin: string;

before(async () => {
  stack = await startStack({ settings: { ADMIN_LISTEN: '127.0.0.1:0', LOG_LEVEL: 'INFO' } });
  admin = await stack.proxy.adminUrl();
});

after(() => stack.close());

/** Resolves with the first scrape that satisfies the predicate: heartbeats take a second. */
function scrapeUntil(what: string, predicate: (seen: Scrape) => boolean): Promise<Scrape> {
  return eventually(what, async () => {
    const seen = await scrape(admin);
    return predicate(seen) ? seen : undefined;
  });
}

function chat(text: string, stream = false): ReturnType<typeof jsonPost> {
  const stream_options = stream ? { stream_options: { include_usage: true } } : {};
  return jsonPost({
    model: 'gpt-4o',
    stream,
    ...stream_options,
    messages: [{ role: 'user', content: text }],
  });
}

function requestsOf(seen: Scrape, labels: Readonly<Record<string, string>> = {}): number {
  return seen.sum('flow_proxy_requests_total', { route: CHAT, ...labels });
}

test('Requests, tokens and bytes are exactly what was sent and reported, over all workers', async () => {
  const answers = [];
  for (let sent = 0; sent < 12; sent += 1) {
    answers.push(await call(`${stack.proxy.url}${CHAT}`, chat(`hello ${sent} chunks:4`, sent % 2 === 0)));
  }
  const seen = await scrapeUntil('12 requests on /metrics', (it) => requestsOf(it) >= 12);
  assert.equal(requestsOf(seen, { status: '2xx', outcome: 'completed', dialect: 'openai' }), 12);
  for (const { name = '' } of stack.credentials) assert.ok(requestsOf(seen, { credential: name }) > 0, name);
  assert.equal(seen.sum('flow_proxy_output_tokens_total', { model: 'gpt-4o', client: 'none' }), 12 * 4);
  const usages = answers.map(({ text }) => Number(/"prompt_tokens":(\d+)/.exec(text)?.[1]));
  assert.equal(
    seen.sum('flow_proxy_input_tokens_total', { model: 'gpt-4o' }),
    usages.reduce((total, tokens) => total + tokens),
  );
  assert.equal(
    seen.sum('flow_proxy_response_body_bytes_total', { route: CHAT }),
    answers.reduce((total, { body }) => total + body.length, 0),
  );
  assert.equal(seen.sum('flow_proxy_streams_ended_total', { reason: 'completed' }), 6);
  for (const histogram of ['request_duration_seconds', 'time_to_first_byte_seconds', 'overhead_seconds']) {
    assert.equal(seen.sum(`flow_proxy_${histogram}_count`, { route: CHAT }), 12, histogram);
  }
});

test('An exchange tells its tokens in its log line', async () => {
  const answer = await call(`${stack.proxy.url}${CHAT}`, {
    ...chat('hello chunks:3', true),
    headers: { 'content-type': 'application/json', 'x-request-id': 'tokens-1' },
  });
  const line = await stack.proxy.waitForExchange('tokens-1');
  assert.equal(line['tokensIn'], Number(/"prompt_tokens":(\d+)/.exec(answer.text)?.[1]));
  assert.equal(line['tokensOut'], 3);
  assert.equal(line['tokensCached'], 0);
});

test('A worker that is killed takes no count with it, and its end is counted', async () => {
  const before = await scrape(admin);
  for (let sent = 0; sent < 6; sent += 1) await call(`${stack.proxy.url}/v1/models`);
  const models = (seen: Scrape): number => seen.sum('flow_proxy_requests_total', { route: '/v1/models' });
  const counted = await scrapeUntil('6 more requests', (it) => models(it) === models(before) + 6);
  const [victim = 0] = stack.proxy.workerPids();
  process.kill(victim, 'SIGKILL');
  const after = await scrapeUntil(
    'the new worker',
    (it) =>
      it.sum('flow_proxy_worker_restarts_total', { reason: 'signal' }) === 1 &&
      it.sum('flow_proxy_workers', { stage: 'ready' }) === 2,
  );
  for (const { name, labels, value } of counted.samples) {
    if (!name.endsWith('_total') && !name.endsWith('_count')) continue;
    assert.ok(after.sum(name, labels) >= value, `${name} ${JSON.stringify(labels)} went back`);
  }
  await call(`${stack.proxy.url}/v1/models`);
  await scrapeUntil('one more request', (it) => models(it) === models(before) + 7);
});

test('A stream is open while it lasts, and ends for a reason', async () => {
  const opened = await openCall(`${stack.proxy.url}${CHAT}`, chat('chunks:10000 interval:50', true));
  await scrapeUntil('an open stream', (it) => it.sum('flow_proxy_streams_open', { route: CHAT }) === 1);
  const more = await Promise.all(
    [1, 2].map(() => openCall(`${stack.proxy.url}${CHAT}`, chat('chunks:10000 interval:50', true))),
  );
  await scrapeUntil(
    'three requests in flight',
    (it) =>
      it.sum('flow_proxy_in_flight_requests') === 3 &&
      it.sum('flow_proxy_streams_open', { route: CHAT }) === 3,
  );
  for (const each of more) each.destroy();
  await scrapeUntil(
    'one request in flight',
    (it) =>
      it.sum('flow_proxy_in_flight_requests') === 1 &&
      it.sum('flow_proxy_streams_ended_total', { reason: 'client_left' }) === 2,
  );
  opened.destroy();
  await scrapeUntil(
    'the end of the stream',
    (it) =>
      it.sum('flow_proxy_streams_open') === 0 &&
      it.sum('flow_proxy_in_flight_requests') === 0 &&
      it.sum('flow_proxy_streams_ended_total', { reason: 'client_left' }) === 3 &&
      it.sum('flow_proxy_requests_total', { outcome: 'client_left' }) === 3,
  );
});

test('A refused credential is a failover with its reason, and cooled until it is back', async () => {
  const [{ clientId = '', name = '' } = {}] = stack.credentials;
  stack.upstream.setFaults([{ credential: clientId, fault: { type: 'status', status: 401 } }]);
  for (let sent = 0; sent < 6; sent += 1) await call(`${stack.proxy.url}${CHAT}`, chat('hello'));
  const seen = await scrapeUntil(
    'a cooled credential',
    (it) => it.sum('flow_proxy_failovers_total', { credential: name, reason: '401' }) > 0,
  );
  assert.ok(seen.sum('flow_proxy_attempts_total', { credential: name, result: '4xx' }) > 0);
  assert.equal(seen.sum('flow_proxy_credential_available', { credential: name }), 0);
  const left = seen.sum('flow_proxy_credential_cooldown_seconds', {
    credential: name,
    model: 'all',
    reason: 'rejected',
  });
  assert.ok(left > 0 && left <= 60, `${left} s`);
  stack.reset();
});

test('A credential that is throttled for a model shows that model until it has recovered', async () => {
  // The first is still out by the test before.
  const [, { clientId = '', name = '' } = {}] = stack.credentials;
  const headers = { 'retry-after-ms': '3000' };
  const fault = { type: 'status', status: 429, headers } as const;
  stack.upstream.setFaults([{ credential: clientId, times: 1, fault }]);
  const cooldowns = ({ samples }: Scrape): readonly Sample[] =>
    samples.filter(
      (it) => it.name === 'flow_proxy_credential_cooldown_seconds' && it.labels['reason'] === 'throttled',
    );
  const one = await scrapeUntilAsked('the cooldown', (it) => cooldowns(it).length === 1);
  const [{ labels, value } = { labels: {}, value: 0 }] = cooldowns(one);
  assert.deepEqual(labels, { credential: name, model: 'gpt-4o', reason: 'throttled' });
  assert.ok(value >= 0 && value <= 3, `${value} s`);
  assert.equal(one.sum('flow_proxy_credential_available', { credential: name }), 1, 'for other models it is');
  const failover = { credential: name, reason: '429' };
  await scrapeUntilAsked(
    'the recovery',
    (it) => cooldowns(it).length === 0 && it.sum('flow_proxy_failovers_total', failover) === 1,
  );
});

/** The same, with a request before each scrape. */
function scrapeUntilAsked(what: string, predicate: (seen: Scrape) => boolean): Promise<Scrape> {
  return eventually(what, async () => {
    await call(`${stack.proxy.url}${CHAT}`, chat('hello'));
    const seen = await scrape(admin);
    return predicate(seen) ? seen : undefined;
  });
}

test('A WebSocket is an open stream, too', async () => {
  const route = { route: '/v1/realtime' };
  const socket = new WebSocket(`ws://127.0.0.1:${stack.proxy.port}/v1/realtime?model=gpt-4o`);
  await once(socket, 'open');
  await scrapeUntil('an open WebSocket', (it) => it.sum('flow_proxy_streams_open', route) === 1);
  socket.close();
  const seen = await scrapeUntil(
    'the end of the WebSocket',
    (it) => it.sum('flow_proxy_streams_ended_total', { ...route, reason: 'completed' }) === 1,
  );
  assert.equal(seen.sum('flow_proxy_streams_open', route), 0);
  assert.equal(seen.sum('flow_proxy_requests_total', { ...route, status: '1xx', outcome: 'completed' }), 1);
});

test('Every process tells its memory and how late its event loop is', async () => {
  const seen = await scrape(admin);
  for (const process of ['primary', 'worker-0', 'worker-1']) {
    assert.ok(seen.sum('flow_proxy_resident_memory_bytes', { process }) > 1e7, process);
    const delays = seen.samples.filter(
      ({ name, labels }) => name === 'flow_proxy_event_loop_delay_seconds' && labels['process'] === process,
    );
    assert.equal(delays.length, 1, process);
  }
});

test('No secret, token or key is in a scrape', async () => {
  const { text } = await scrape(admin);
  for (const { clientSecret, clientId } of stack.credentials) {
    for (const secret of [clientSecret, clientId, Buffer.from(clientSecret).toString('base64')]) {
      assert.ok(!text.includes(secret));
    }
  }
  assert.doesNotMatch(text, /eyJ[\w-]{10}/);
});

test('The admin listener answers GET and HEAD of what it has, under its own name', async () => {
  const post = await call(`${admin}/metrics`, { method: 'POST' });
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'GET, HEAD');
  const head = await call(`${admin}/metrics`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.match(head.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
  assert.equal((await call(`${admin}/nothing`)).status, 404);
  assert.equal((await call(`${admin}/metrics?a=b`)).status, 200);
  assert.equal((await call(`${admin}/metrics`, { headers: { host: 'rebound.example' } })).status, 421);
});
