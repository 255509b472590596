// Workers that die, hang, grow or fall behind, and those that are to finish what they have.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { Agent, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { readyPids, reload, setInEnvFile, statusOf } from '../harness/control.ts';
import { eventually, within } from '../harness/eventually.ts';
import { call, chatPost, jsonPost, openCall } from '../harness/http-call.ts';
import { Installation } from '../harness/installation.ts';
import { startStack } from '../harness/stack.ts';
import { stopProcess } from '../harness/stop-process.ts';
import { PostLoops } from '../harness/traffic.ts';

const CHAT = '/v1/chat/completions';
const LONG = 'marker:L chunks:400 interval:50';

test('a worker that stands still keeps one connection waiting; when it is killed, that goes to another', async (t) => {
  const { proxy } = await startStack({}, t);
  const [victim = 0, other = 0] = proxy.workerPids();
  // Stopped, it takes nothing any more: the connection that is handed to it waits there, and no further one.
  await stopProcess(victim);
  let answered = 0;
  const calls = Array.from({ length: 8 }, async () => {
    const answer = await call(`${proxy.url}/v1/models`);
    answered += 1;
    return answer;
  });
  await eventually('the answers of the other worker', () => (answered >= 7 ? true : undefined));
  process.kill(victim, 'SIGKILL');
  const answers = await within('every answer', 60_000, Promise.all(calls));
  assert.ok(answers.every(({ status }) => status === 200));
  await proxy.waitForLog(({ msg }) => msg === 'Worker 0 ended by SIGKILL; a new one follows in 0 ms');
  const pids = await eventually('a new worker', async () => {
    const ready = await readyPids(proxy);
    return ready.length === 2 ? ready : undefined;
  });
  assert.ok(pids.includes(other) && !pids.includes(victim));
});

test('a worker that is told to end by SIGTERM finishes what it has, and another takes its place', async (t) => {
  const { proxy } = await startStack({ settings: { NUM_WORKERS: 1 } }, t);
  const [victim = 0] = proxy.workerPids();
  const stream = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:20 interval:50', true));
  process.kill(victim, 'SIGTERM');
  await proxy.waitForLog(({ msg }) => msg === 'Worker 0 ended by SIGTERM; a new one follows in 0 ms');
  assert.match(await text(stream), /\[DONE\]\n\n$/);
  const pids = await eventually('a new worker', async () => {
    const ready = await readyPids(proxy);
    return ready.length === 1 ? ready : undefined;
  });
  assert.ok(!pids.includes(victim));
});

test('a worker that hangs is killed after the heartbeat limit and replaced, while the other one serves', async (t) => {
  const { proxy } = await startStack({ settings: { HEARTBEAT_TIMEOUT: 2 } }, t);
  const [victim = 0] = proxy.workerPids();
  const loops = new PostLoops(proxy.url, 2, CHAT);
  t.after(() => loops.stop());
  await eventually('some traffic', () => (loops.answered > 10 ? true : undefined));
  await stopProcess(victim);
  await proxy.waitForLog(({ msg }) => /^Worker 0 has been silent for \d+ s: killing it$/.test(msg));
  await eventually('a new worker', async () => {
    const pids = await readyPids(proxy);
    return pids.length === 2 && !pids.includes(victim) ? true : undefined;
  });
  await loops.stop();
  // The loops hold a connection each: only what was under way in the hanging worker may have failed.
  assert.ok(loops.faults.length <= 2, loops.faults.join('; '));
});

test('workers over their soft memory limit are replaced one at a time, without loss', async (t) => {
  const { proxy } = await startStack({ settings: { SOFT_MEMORY_MB: 16, MIN_LIFETIME: 1 } }, t);
  const before = proxy.workerPids();
  const loops = new PostLoops(proxy.url, 4, CHAT);
  t.after(() => loops.stop());
  const most = { replacing: 0 };
  await eventually(
    'two other workers',
    async () => {
      const { workers } = await statusOf(proxy);
      most.replacing = Math.max(most.replacing, workers.length - 2);
      return workers.every(({ pid }) => !before.includes(pid)) ? true : undefined;
    },
    30_000,
  );
  await loops.stop();
  assert.deepEqual(loops.faults, []);
  assert.equal(most.replacing, 1);
  await proxy.waitForLog(({ msg }) => /MB, over its soft limit of 16 MB .*: replacing it/.test(msg));
});

test('a worker over its hard memory limit is killed and replaced', async (t) => {
  const { proxy } = await startStack({ settings: { HARD_MEMORY_MB: 16, NUM_WORKERS: 1 } }, t);
  await proxy.waitForLog(({ msg }) => /^Worker 0 has \d+ MB, over its hard limit of 16 MB/.test(msg));
  await proxy.waitForLog(({ msg }) => msg.startsWith('Worker 0 ended by SIGKILL for its memory; a new one'));
});

test('a worker that fills its V8 heap fails with its own exchanges only, and the log says what has happened', async (t) => {
  const installation = new Installation();
  t.after(() => installation.remove());
  // Nothing that a client can send does this, so the code of this installation has a way to.
  appendFileSync(
    installation.file('workers/proxy-worker.js'),
    "\nprocess.on('SIGALRM', () => { const kept = []; for (;;) kept.push(new Array(100).fill(kept.length + 0.5)); });\n",
  );
  const { proxy } = await startStack({ main: installation.main, settings: { HEAP_MB: 64 } }, t);
  const open = (): Promise<IncomingMessage> =>
    openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:100 interval:50', true));
  const texts = (await Promise.all(Array.from({ length: 4 }, open))).map(textUntilBroken);
  const [victim, other] = await eventually('every stream being counted', async () => {
    const { workers, inFlight } = await statusOf(proxy);
    return inFlight === 4 ? workers : undefined;
  });
  assert.ok(victim !== undefined && other !== undefined);
  process.kill(victim.pid, 'SIGALRM');
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('Worker 0 ended by'));
  assert.equal(
    line.msg,
    'Worker 0 ended by SIGABRT, most likely as its heap was full (FLOW_PROXY_HEAP_MB, 64 MB); a new one follows in 0 ms',
  );
  await proxy.waitForLog(({ msg }) =>
    /^Worker 0 wrote: FATAL ERROR: .*JavaScript heap out of memory/.test(msg),
  );
  const whole = (await Promise.all(texts)).filter((got) => /data: \[DONE\]\n\n$/.test(got)).length;
  assert.equal(whole, other.inFlight, 'the streams of the other worker, and no other');
  assert.ok(whole > 0 && whole < 4);
  await eventually('a new worker', async () => ((await readyPids(proxy)).length === 2 ? true : undefined));
});

test('a worker behind with its work answers 503 with Retry-After, still tells its health, and recovers', async (t) => {
  const { proxy } = await startStack({ settings: { NUM_WORKERS: 1, MAX_LOOP_DELAY: 0.5 } }, t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ask = (path: string) => call(`${proxy.url}${path}`, { agent });
  // It may have been behind while it booted.
  await eventually('an answer', async () => ((await ask('/v1/models')).status === 200 ? true : undefined));
  const [pid = 0] = proxy.workerPids();
  await stopProcess(pid);
  const waiting = [ask('/v1/models')];
  setTimeout(() => process.kill(pid, 'SIGCONT'), 3_000);
  const refused = await eventually('a refusal', async () => {
    // The first one may be taken in before the worker has looked at the clock.
    const answer = await (waiting.pop() ?? ask('/v1/models'));
    return answer.status === 503 ? answer : undefined;
  });
  assert.equal(refused.headers['retry-after'], '1');
  assert.match(refused.text, /"code":"overloaded"/);
  assert.equal((await ask('/healthz')).status, 200);
  await eventually('its recovery', async () => ((await ask('/v1/models')).status === 200 ? true : undefined));
});

test('streams that outlast the drain deadline end with an error event in the dialect of the client', async (t) => {
  const { proxy } = await startStack({ settings: { DRAIN_TIMEOUT: 1 } }, t);
  const openai = await openCall(`${proxy.url}${CHAT}`, chatPost(LONG, true));
  const anthropic = await openCall(
    `${proxy.url}/v1/messages`,
    jsonPost({
      model: 'claude-45',
      max_tokens: 9,
      stream: true,
      messages: [{ role: 'user', content: LONG }],
    }),
  );
  const texts = [openai, anthropic].map(textUntilBroken);
  assert.equal(await proxy.stop(), 0);
  const [first = '', second = ''] = await Promise.all(texts);
  assert.match(first, /data: \{"error":\{[^\n]*"code":"service_ending"\}\}\n\n$/);
  assert.match(second, /event: error\ndata: \{"type":"error",[^\n]*"code":"service_ending"\}\}\n\n$/);
});

test('beyond FLOW_PROXY_MAX_DRAINING the oldest generation is cut off, the others keep their streams', async (t) => {
  const { proxy } = await startStack({ settings: { MAX_DRAINING: 1, NUM_WORKERS: 1 } }, t);
  const oldest = textUntilBroken(await openCall(`${proxy.url}${CHAT}`, chatPost(LONG, true)));
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 61);
  await reload(proxy);
  const younger = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:100 interval:50', true));
  // What a worker has in flight comes with its heartbeats.
  const draining = await eventually('its stream being counted', async () => {
    const status = await statusOf(proxy);
    return status.draining[0]?.inFlight === 1 ? status.draining : undefined;
  });
  assert.deepEqual(
    draining.map(({ generation, workers }) => [generation, workers.length]),
    [[1, 1]],
  );
  assert.ok((draining[0]?.rssBytes ?? 0) > 16 * 1024 * 1024);
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 62);
  await reload(proxy);
  assert.match(await oldest, /"code":"service_ending"/);
  assert.match(await text(younger), /data: \[DONE\]\n\n$/);
});

test('drained by SIGWINCH it takes no new connection, says so on open ones, finishes, and serves again after a reload', async (t) => {
  const { proxy } = await startStack({ settings: { NUM_WORKERS: 1 } }, t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await call(`${proxy.url}/readyz`, { agent });
  const stream = await openCall(`${proxy.url}${CHAT}`, chatPost('marker:L chunks:40 interval:50', true));
  proxy.kill('SIGWINCH');
  await proxy.waitForLog(({ msg }) => msg.startsWith('SIGWINCH: draining'));
  await eventually('its last answer', async () =>
    (await call(`${proxy.url}/readyz`, { agent })).status === 503 ? true : undefined,
  );
  await eventually('the refusal', () =>
    call(`${proxy.url}/readyz`).then(
      () => undefined,
      ({ code }) => (code === 'ECONNREFUSED' ? true : undefined),
    ),
  );
  assert.match(await text(stream), /data: \[DONE\]\n\n$/);
  await proxy.waitForLog(({ msg }) => msg.startsWith('Drained'));
  assert.equal((await statusOf(proxy)).state, 'drained');
  await reload(proxy);
  assert.equal((await statusOf(proxy)).state, 'ready');
});

function textUntilBroken(response: IncomingMessage): Promise<string> {
  let got = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    got += piece;
  });
  response.on('error', () => {});
  return new Promise((resolve) => {
    response.once('close', () => resolve(got));
  });
}
