// Cooldowns and probes as a client and an operator see them, over two workers.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { call, chatPost, jsonPost } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';

test('a credential that is refused once is left alone by every worker', async (t) => {
  const { upstream, proxy, credentials } = await startStack({}, t);
  const refused = String(credentials[1]?.clientId);
  upstream.setFaults([{ credential: refused, fault: { type: 'status', status: 401 } }]);
  const first = await Promise.all([1, 2, 3].map(() => call(`${proxy.url}${CHAT}`, chatPost('hello'))));
  assert.deepEqual(
    first.map(({ status }) => status),
    [200, 200, 200],
  );
  await proxy.waitForLog(({ msg }) => /'credential-2' marked as failed until .*rejected, HTTP 401/.test(msg));
  const before = upstream.stats().byCredential[refused] ?? 0;
  for (let i = 0; i < 40; i += 1)
    assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('again'))).status, 200);
  assert.ok(before <= 2, 'each worker may have tried it once before it heard of the other');
  assert.equal(upstream.stats().byCredential[refused] ?? 0, before);
});

test('a cooldown outlives the worker that reported it, and a reload', async (t) => {
  const { upstream, proxy, credentials } = await startStack({ credentials: 2 }, t);
  const refused = String(credentials[0]?.clientId);
  upstream.setFaults([{ credential: refused, fault: { type: 'status', status: 403 } }]);
  for (let i = 0; i < 4; i += 1) await call(`${proxy.url}/v1/models`);
  const line = await proxy.waitForLog(({ failovers }) => failovers !== undefined);
  const victim = proxy.workerPids()[Number(line['worker'])] ?? 0;
  process.kill(victim, 'SIGKILL');
  const assertLeftAlone = async (): Promise<void> => {
    const before = upstream.stats().byCredential[refused];
    for (let i = 0; i < 20; i += 1) assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
    assert.equal(upstream.stats().byCredential[refused], before);
  };
  await eventually('a new worker', () => {
    const pids = proxy.workerPids();
    return pids.length === 2 && !pids.includes(victim) ? true : undefined;
  });
  await eventually('full strength', async () => {
    const { workers } = JSON.parse((await call(`${proxy.url}/health`)).text);
    return workers.ready === 2 ? true : undefined;
  });
  await assertLeftAlone();
  writeFileSync(join(proxy.folder, '.env'), 'FLOW_PROXY_KEEP_ALIVE_TIMEOUT=70\n');
  proxy.kill('SIGHUP');
  await proxy.waitForLog(({ msg }) => msg.startsWith('SIGHUP: reloaded'), 30_000);
  await assertLeftAlone();
});

test('a throttled credential is used again, by one probing request, when its time is over', async (t) => {
  const { upstream, proxy, credentials } = await startStack({ credentials: 2 }, t);
  const throttled = String(credentials[0]?.clientId);
  const headers = { 'retry-after-ms': '400' };
  upstream.setFaults([{ credential: throttled, times: 1, fault: { type: 'status', status: 429, headers } }]);
  while ((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status === 200) {
    if (proxy.logLines.some(({ msg }) => msg.includes('recovered for model gpt-4o'))) break;
  }
  await proxy.waitForLog(({ msg }) => msg.includes("'credential-1' marked as failed for model gpt-4o"));
  await proxy.waitForLog(({ msg }) => msg.includes("'credential-1' recovered for model gpt-4o"));
});

test('one request over all workers probes a credential whose cooldown has ended, while others go elsewhere', async (t) => {
  const { upstream, proxy, credentials } = await startStack({ credentials: 2 }, t);
  const throttled = String(credentials[0]?.clientId);
  const headers = { 'retry-after-ms': '300' };
  upstream.setFaults([
    { credential: throttled, times: 1, fault: { type: 'status', status: 429, headers } },
    { credential: throttled, fault: { type: 'delay', ms: 800 } },
  ]);
  const refused = await eventually('the 429', async () => {
    await call(`${proxy.url}${CHAT}`, chatPost('x'));
    return upstream.requests.find(({ status }) => status === 429);
  });
  const cooledUntil = (refused.endedAt ?? refused.startedAt) + 300;
  // Not those of a worker that had not heard of it yet.
  const delayed = () =>
    upstream.requests.filter(({ fault, startedAt }) => fault === 'delay' && startedAt >= cooledUntil);
  const client = async (): Promise<void> => {
    while (delayed().length < 3) {
      assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 200);
    }
  };
  await Promise.all(Array.from({ length: 6 }, client));
  const [probe, ...later] = delayed();
  const ended = probe?.endedAt ?? assert.fail('the probe did not end');
  for (const { startedAt } of later) assert.ok(startedAt >= ended, `${ended - startedAt} ms too soon`);
});

test('a quota of one model leaves the credential in use for another', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 1, settings: { THROTTLE_WAIT: 0 } }, t);
  const fault = { type: 'status', status: 429, headers: { 'retry-after': '60' } } as const;
  upstream.setFaults([{ model: 'gpt-4o', fault }]);
  assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 429);
  const again = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.equal(again.status, 429);
  const other = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'x' }] };
  assert.equal((await call(`${proxy.url}${CHAT}`, jsonPost(other))).status, 200);
});

test('also when the model is named by a form, or by a body that is too large to be kept', async (t) => {
  const settings = { THROTTLE_WAIT: 0, KEEP_BODY_MB: 0.1 };
  const { upstream, proxy } = await startStack({ credentials: 1, settings }, t);
  const form = new FormData();
  form.set('file', new Blob(['RIFF']), 'a.wav');
  form.set('model', 'whisper-1');
  const transcribe = async (): Promise<number> =>
    (await fetch(`${proxy.url}/v1/audio/transcriptions`, { method: 'POST', body: form })).status;
  const large = chatPost('x'.repeat(300_000));
  const fault = { type: 'status', status: 429, headers: { 'retry-after': '60' } } as const;
  upstream.setFaults([{ times: 2, fault }]);
  assert.deepEqual([await transcribe(), (await call(`${proxy.url}${CHAT}`, large)).status], [429, 429]);
  await proxy.waitForLog(({ msg }) => msg.includes('marked as failed for model whisper-1'));
  await proxy.waitForLog(({ msg }) => msg.includes('marked as failed for model gpt-4o'));
  const other = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'x' }] };
  assert.equal((await call(`${proxy.url}${CHAT}`, jsonPost(other))).status, 200);
});

test('when every credential is throttled the client learns the soonest time at which one is back', async (t) => {
  const { upstream, proxy, credentials } = await startStack({ settings: { THROTTLE_WAIT: 0 } }, t);
  const inFortySeconds = new Date(Date.now() + 40_000).toUTCString();
  const waits = [{ 'retry-after': '90' }, { 'retry-after': inFortySeconds }, { 'retry-after-ms': '70000' }];
  upstream.setFaults(
    credentials.map(({ clientId }, index) => ({
      credential: clientId,
      fault: { type: 'status', status: 429, headers: waits[index] ?? {} },
    })),
  );
  const exhausted = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.equal(exhausted.status, 429);
  assert.match(exhausted.text, /Simulated fault/, 'the last answer of the upstream itself');
  const marked = (): number => proxy.logLines.filter(({ msg }) => msg.includes('marked as failed')).length;
  await eventually('the last of three lines', () => (marked() === 3 ? true : undefined));
  const next = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.equal(next.status, 429);
  assert.match(next.text, /all_credentials_throttled/);
  const seconds = Number(next.headers['retry-after']);
  assert.ok(seconds > 0 && seconds <= 40, `Retry-After ${seconds}, not that of those that take longer`);
});

test('a request waits for a credential that is about to come back', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 1, settings: { THROTTLE_WAIT: 5 } }, t);
  const headers = { 'retry-after-ms': '600' };
  upstream.setFaults([{ times: 1, fault: { type: 'status', status: 429, headers } }]);
  assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 429);
  assert.equal((await call(`${proxy.url}${CHAT}`, chatPost('x'))).status, 200);
  assert.equal(upstream.requests.length, 2);
});

test('leave to probe goes to the worker that has a request, and until one comes the service calls itself well', async (t) => {
  const settings = { THROTTLE_WAIT: 3, NUM_WORKERS: 6 };
  const { upstream, proxy } = await startStack({ credentials: 1, settings }, t);
  const headers = { 'retry-after-ms': '300' };
  upstream.setFaults([{ times: 1, fault: { type: 'status', status: 429, headers } }]);
  // One connection, so that all its requests are the same worker's.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  assert.equal((await call(`${proxy.url}/v1/models`, { agent })).status, 429);
  await eventually('the end of the cooldown', async () => {
    const { text } = await call(`${proxy.url}/health`, { agent });
    return JSON.parse(text).status === 'ok' ? true : undefined;
  });
  for (let i = 0; i < 12; i += 1) {
    const { status, text } = await call(`${proxy.url}/health`);
    assert.deepEqual([status, JSON.parse(text).status], [200, 'ok']);
  }
  assert.equal((await call(`${proxy.url}/v1/models`, { agent })).status, 200);
  agent.destroy();
});

test('a service whose credentials are all throttled is ready: it answers with 429 and when to come back', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 2, settings: { THROTTLE_WAIT: 0 } }, t);
  const headers = { 'retry-after': '600' };
  upstream.setFaults([{ fault: { type: 'status', status: 429, headers } }]);
  const health = await eventually('both workers to know of no credential', async () => {
    await call(`${proxy.url}/v1/models`);
    const bodies = [];
    for (let asked = 0; asked < 8; asked += 1) bodies.push((await call(`${proxy.url}/health`)).text);
    return bodies.every((text) => JSON.parse(text).credentials.available === 0) ? bodies[0] : undefined;
  });
  assert.equal(JSON.parse(health).status, 'degraded');
  assert.deepEqual(JSON.parse(health).credentials, { available: 0, total: 2 });
  const ready = await call(`${proxy.url}/readyz`);
  assert.deepEqual([ready.status, JSON.parse(ready.text)], [200, { ready: true, status: 'degraded' }]);
  assert.equal((await call(`${proxy.url}/health`)).status, 200);
  const answer = await call(`${proxy.url}/v1/models`);
  assert.equal(answer.status, 429);
  const seconds = Number(answer.headers['retry-after']);
  assert.ok(seconds > 500 && seconds <= 600, `${seconds} s`);
});

test('the last credential stays in use when it is refused', async (t) => {
  const { upstream, proxy } = await startStack({ credentials: 1 }, t);
  upstream.setFaults([{ fault: { type: 'status', status: 401, headers: { 'x-should-retry': 'false' } } }]);
  for (let i = 0; i < 3; i += 1) {
    const answer = await call(`${proxy.url}${CHAT}`, chatPost('x'));
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['x-should-retry'], 'false');
  }
  assert.equal(upstream.requests.length, 3);
  await proxy.waitForLog(({ msg }) => msg.includes('stays in use'));
  assert.equal(JSON.parse((await call(`${proxy.url}/health`)).text).status, 'ok');
});
