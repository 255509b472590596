// What a reload takes over, what it refuses, and what it leaves alone.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { memoryLimits } from '../../src/host/memory-share.ts';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { reload, setInEnvFile, statusOf } from '../harness/control.ts';
import { eventually } from '../harness/eventually.ts';
import { call, chatPost, openCall, readAnswer } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { PostLoops } from '../harness/traffic.ts';

const CHAT = '/v1/chat/completions';

describe('a reload', () => {
  let stack: Stack;
  before(async () => {
    // As systemd's EnvironmentFile= would have it: the variable is in the environment and in the env file.
    stack = await startStack({
      envFile: 'FLOW_PROXY_BODY_TIMEOUT=61\n',
      settings: { BODY_TIMEOUT: 61, HEADER_TIMEOUT: 62 },
    });
  });
  after(() => stack.close());

  const writeSecrets = (entries: readonly unknown[]): void =>
    writeFileSync(join(stack.proxy.folder, 'secrets.json'), JSON.stringify(entries), { mode: 0o600 });
  const reloadCommand = (): Promise<CommandResult> =>
    runFlowProxy({
      settings: { CONTROL_SOCKET: join(stack.proxy.folder, 'control.sock') },
      args: ['reload', '--wait'],
    });

  test('with nothing changed reopens the log and replaces no worker', async () => {
    const { proxy } = stack;
    const pids = proxy.workerPids();
    const reply = await reload(proxy);
    assert.deepEqual([reply.outcome, reply.message], ['done', 'nothing has changed; the log was reopened']);
    assert.deepEqual(proxy.workerPids(), pids);
    assert.equal((await statusOf(proxy)).lastReload?.outcome, 'unchanged');
    const host = await eventually('figures', async () => (await statusOf(proxy)).host ?? undefined);
    assert.ok(host.memoryTotalBytes > host.memoryAvailableBytes && host.memoryAvailableBytes > 0);
  });

  test('publishes changed credentials live: same workers, kept cooldowns, a clean start for one that comes back', async () => {
    const { proxy, upstream, credentials } = stack;
    const pids = proxy.workerPids();
    const failing = String(credentials[0]?.clientId);
    upstream.setFaults([{ credential: failing, fault: { type: 'status', status: 401 } }]);
    for (let count = 0; count < 4; count += 1) await call(`${proxy.url}${CHAT}`, chatPost('x'));
    await proxy.waitForLog(({ msg }) => msg.includes("'credential-1' marked as failed"));
    const cooldowns = async (): Promise<string> =>
      JSON.stringify((await statusOf(proxy)).credentials.map(({ name, available }) => [name, available]));

    writeSecrets(credentials.slice(0, 2));
    assert.match((await reload(proxy)).reasons.join(), /^credentials: removed credential-3$/);
    assert.equal(await cooldowns(), '[["credential-1",false],["credential-2",true]]');

    writeSecrets(credentials.slice(1));
    await reload(proxy);
    writeSecrets(credentials);
    assert.match((await reload(proxy)).reasons.join(), /^credentials: added credential-1$/);
    assert.equal(await cooldowns(), '[["credential-1",true],["credential-2",true],["credential-3",true]]');
    assert.deepEqual(proxy.workerPids(), pids);
    upstream.setFaults([]);
  });

  test('with broken settings and secrets is refused with every reason; no request fails, no worker changes', async (t) => {
    const { proxy, credentials } = stack;
    const pids = proxy.workerPids();
    const before = await statusOf(proxy);
    const loops = new PostLoops(proxy.url, 4, CHAT);
    t.after(() => loops.stop());
    setInEnvFile(proxy, 'MAX_IN_FLIGHT', 'many');
    setInEnvFile(proxy, 'RETRY_ON', '200');
    proxy.kill('SIGHUP');
    const line = await proxy.waitForLog(({ msg }) => msg.startsWith('SIGHUP: reload refused'));
    assert.equal(line.level, 'ERROR');
    assert.match(line.msg, /FLOW_PROXY_RETRY_ON .*"200".*FLOW_PROXY_MAX_IN_FLIGHT .*"many"/);

    writeFileSync(join(proxy.folder, '.env'), 'FLOW_PROXY_BODY_TIMEOUT=61\n');
    writeSecrets([{ ...credentials[0], clientSecret: '' }, { name: 'nobody' }]);
    const { code, stderr } = await reloadCommand();
    assert.equal(code, 1);
    assert.match(stderr, /the reload was refused[\s\S]*clientSecret[\s\S]*tenant/);
    const status = await statusOf(proxy);
    assert.equal(status.lastReload?.outcome, 'refused');
    assert.deepEqual([status.generation, status.credentials], [before.generation, before.credentials]);
    await loops.stop();
    assert.deepEqual(loops.faults, []);
    assert.ok(loops.answered > 0);
    assert.deepEqual(proxy.workerPids(), pids);
    writeSecrets(credentials);
  });

  test('takes a setting from the env file although the environment has its old value from there, and no other', async () => {
    const { proxy } = stack;
    setInEnvFile(proxy, 'BODY_TIMEOUT', 71);
    setInEnvFile(proxy, 'HEADER_TIMEOUT', 72);
    const reply = await reload(proxy);
    assert.deepEqual(reply.reasons, ['all workers replaced: FLOW_PROXY_BODY_TIMEOUT 61 → 71']);
    writeFileSync(join(proxy.folder, '.env'), '');
    const back = await reload(proxy);
    assert.deepEqual(back.reasons, ['all workers replaced: FLOW_PROXY_BODY_TIMEOUT 71 → 60']);
  });

  test('says what waits for a restart, and goes on with what there was', async () => {
    const { proxy } = stack;
    setInEnvFile(proxy, 'LOG_RETENTION_DAYS', 9);
    const reply = await reload(proxy);
    assert.deepEqual(reply.reasons, ['FLOW_PROXY_LOG_RETENTION_DAYS takes effect at the next restart']);
    assert.deepEqual((await statusOf(proxy)).lastReload?.needRestart, ['FLOW_PROXY_LOG_RETENTION_DAYS']);
    await proxy.waitForLog(({ level, msg }) => level === 'WARNING' && msg.includes('next restart'));
  });
});

test('a reload that changes the number of workers adds them, or drains the last ones; memory is shared anew', async (t) => {
  const { proxy } = await startStack(
    { settings: { NUM_WORKERS: '' }, envFile: 'FLOW_PROXY_NUM_WORKERS=1\n' },
    t,
  );
  const auto = { softBytes: 'auto', hardBytes: 'auto', heapBytes: 'auto' } as const;
  const shareFor = async (workers: number): Promise<void> => {
    const { softBytes, hardBytes } = (await statusOf(proxy)).limits;
    const expected = memoryLimits(auto, workers);
    assert.deepEqual([softBytes, hardBytes], [expected.softBytes, expected.hardBytes]);
  };
  const [first] = proxy.workerPids();
  await shareFor(1);
  setInEnvFile(proxy, 'NUM_WORKERS', 2);
  assert.deepEqual((await reload(proxy)).reasons, ['1 → 2 workers']);
  await proxy.waitForLog(({ level, msg }) => level === 'WARNING' && msg.includes('began with one worker'));
  await shareFor(2);
  assert.equal((await statusOf(proxy)).workers.filter(({ stage }) => stage === 'ready').length, 2);
  setInEnvFile(proxy, 'NUM_WORKERS', 1);
  assert.deepEqual((await reload(proxy)).reasons, ['2 → 1 workers']);
  const { workers } = await statusOf(proxy);
  assert.deepEqual(
    workers.map(({ pid }) => pid),
    [first],
  );
});

test('a second SIGHUP during a reload is remembered once, and SIGTERM wins over both', async (t) => {
  const { proxy } = await startStack({}, t);
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 61);
  const first = reload(proxy);
  const second = reload(proxy);
  const third = reload(proxy);
  const outcomes = (await Promise.all([first, second, third])).map(({ message }) => message);
  assert.deepEqual(outcomes, [
    'reloaded',
    'nothing has changed; the log was reopened',
    'nothing has changed; the log was reopened',
  ]);

  await eventually('the end of the old workers', () => (proxy.workerPids().length === 2 ? true : undefined));
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 62);
  const cut = reload(proxy).catch(() => ({ outcome: 'gone' }));
  // A third worker is forked while the first one still serves.
  await eventually('the reload', () => (proxy.workerPids().length > 2 ? true : undefined));
  proxy.kill('SIGTERM');
  assert.equal((await proxy.exited).code, 0);
  assert.notEqual((await cut).outcome, 'done');
  assert.equal(proxy.logLines.filter(({ msg }) => msg.includes('nothing has changed')).length, 1);
});

test('a reload is refused while the service ends, and one that a drain overtakes says so; the next one serves again', async (t) => {
  const port = await freePort();
  const { proxy } = await startStack({ settings: { PORT: port } }, t);
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 61);
  const overtaken = reload(proxy);
  await eventually('the reload', () => (proxy.workerPids().length > 2 ? true : undefined));
  proxy.kill('SIGWINCH');
  assert.deepEqual((await overtaken).reasons, ['the service drains since']);
  await proxy.waitForLog(({ msg }) => msg.startsWith('Drained'));
  assert.equal((await reload(proxy)).outcome, 'done');
  assert.equal((await statusOf(proxy)).state, 'ready');
  const stream = await openCall(`${proxy.url}${CHAT}`, chatPost('chunks:40 interval:50', true));

  proxy.kill('SIGTERM');
  await proxy.waitForLog(({ msg }) => msg.startsWith('SIGTERM: draining'));
  const late = await reload(proxy);
  assert.deepEqual([late.outcome, late.reasons], ['refused', ['the service is ending']]);
  assert.match((await readAnswer(stream)).text, /data: \[DONE\]\n\n$/);
  assert.equal((await proxy.exited).code, 0);
});
