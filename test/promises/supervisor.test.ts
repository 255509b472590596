// What the primary promises: nothing in flight is lost, and nobody is left behind.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call, chatPost, openCall } from '../harness/http-call.ts';
import { isAlive } from '../harness/is-alive.ts';
import { startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';
const LONG = 'marker:L chunks:20 interval:50';

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a stream come to its end, takes no new connection, and exits 0`, async (t) => {
    const { proxy } = await startStack({}, t);
    const response = await openCall(`${proxy.url}${CHAT}`, chatPost(LONG, true));
    proxy.kill(signal);
    await proxy.waitForLog(({ msg }) => msg.includes('draining'));
    await eventually('the refusal', async () => {
      const answer = await call(`${proxy.url}/healthz`).catch(() => undefined);
      return answer === undefined ? true : undefined;
    });
    let text = '';
    for await (const piece of response) text += String(piece);
    assert.equal(text.match(/"content":"L "/g)?.length, 20);
    assert.match(text, /data: \[DONE\]\n\n$/);
    assert.equal((await proxy.exited).code, 0);
  });
}

test('a second signal ends at once and not with 0', async (t) => {
  const { proxy } = await startStack({}, t);
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:500 interval:50', true));
  response.on('error', () => {}).resume();
  proxy.kill('SIGTERM');
  await proxy.waitForLog(({ msg }) => msg.includes('draining'));
  proxy.kill('SIGTERM');
  assert.equal((await proxy.exited).code, 143);
});

test('what is still running at the drain deadline is cut, and said so', async (t) => {
  const { proxy } = await startStack({ settings: { DRAIN_TIMEOUT: 1 } }, t);
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:500 interval:50', true));
  response.on('error', () => {}).resume();
  assert.equal(await proxy.stop(), 0);
  assert.ok(proxy.logLines.some(({ msg }) => msg.startsWith('Cut 1 exchanges')));
});

test('keep-alive clients lose no request to a drain', async (t) => {
  const { proxy } = await startStack({}, t);
  const answered: number[] = [];
  const loop = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let isTold = false;
    while (!isTold) {
      const answer = await call(`${proxy.url}${CHAT}`, { ...chatPost('x'), agent });
      answered.push(answer.status);
      isTold = answer.headers.connection === 'close';
    }
    agent.destroy();
  };
  const loops = Array.from({ length: 8 }, loop);
  await eventually('some traffic', () => (answered.length > 100 ? true : undefined));
  const stopped = proxy.stop();
  await Promise.all(loops);
  assert.ok(answered.every((status) => status === 200));
  assert.equal(await stopped, 0);
});

test('a worker that is killed costs only its own exchanges and is replaced', async (t) => {
  const { proxy } = await startStack({}, t);
  const [victim = 0, other = 0] = proxy.workerPids();
  process.kill(victim, 'SIGKILL');
  await proxy.waitForLog(({ msg }) => msg.includes('ended by SIGKILL'));
  await eventually('a new worker', () => (proxy.workerPids().length === 2 ? true : undefined));
  await eventually('full health', async () => {
    const { text } = await call(`${proxy.url}/health`);
    return JSON.parse(text).status === 'ok' ? true : undefined;
  });
  assert.ok(proxy.workerPids().includes(other));
  for (let i = 0; i < 10; i += 1) assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
});

test('workers that cannot boot end the service with a reason and not with 0', async (t) => {
  const { upstream, credentials } = await startStack({}, t);
  const broken = join('/tmp', `flow-proxy-broken-${process.pid}.cjs`);
  writeFileSync(broken, 'if (process.send) process.exit(9);');
  const { code, stdout } = await runFlowProxy({
    credentials,
    settings: { PORT: 0, TARGET_URL: upstream.url },
    environment: { NODE_OPTIONS: `--require ${broken}` },
  });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /Giving up: 5 workers in a row ended before they could serve; the last one by exit code 9/,
  );
});

test('when the primary is killed the workers finish and go, and the port is free at once', async (t) => {
  const { proxy, upstream, credentials } = await startStack({}, t);
  const pids = proxy.workerPids();
  const response = await openCall(`${proxy.url}${CHAT}`, chatPost(LONG, true));
  proxy.kill('SIGKILL');
  await proxy.exited;
  const next = await startFlowProxy(
    { upstream: upstream.url, credentials, settings: { PORT: proxy.port } },
    t,
  );
  assert.equal((await call(`${next.url}/v1/models`)).status, 200);
  let text = '';
  for await (const piece of response) text += String(piece);
  assert.equal(text.match(/"content":"L "/g)?.length, 20);
  await eventually('the end of the workers', () => (pids.some(isAlive) ? undefined : true));
});

test('signals that a terminal sends to the whole group do nothing in workers', async (t) => {
  const { proxy } = await startStack({}, t);
  const pids = proxy.workerPids();
  for (const pid of pids) for (const signal of ['SIGINT', 'SIGHUP'] as const) process.kill(pid, signal);
  for (let i = 0; i < 10; i += 1) assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
  assert.deepEqual(proxy.workerPids(), pids);
});
