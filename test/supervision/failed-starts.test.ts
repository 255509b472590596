// A worker that cannot be started any more, beside others that serve.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readyPids } from '../harness/control.ts';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { Installation } from '../harness/installation.ts';
import { isAlive } from '../harness/is-alive.ts';
import { startStack } from '../harness/stack.ts';

test('without file descriptors for a new worker the others go on, and it follows when there are some', async (t) => {
  const { proxy } = await startStack({}, t);
  const [victim = 0, other = 0] = proxy.workerPids();
  const pid = String(proxy.pid);
  const limit = (most: string): unknown => execFileSync('prlimit', ['--pid', pid, `--nofile=${most}:`]);
  const [, usual = ''] =
    execFileSync('prlimit', ['--pid', pid, '--nofile', '--output', 'SOFT', '--noheadings'])
      .toString()
      .match(/(\d+)/) ?? [];
  limit('10');
  process.kill(victim, 'SIGKILL');
  await proxy.waitForLog(({ msg }) => /^Worker 0 ended by a failed fork \(.*\); a new one follows/.test(msg));
  assert.ok(isAlive(other));
  limit(usual);
  await eventually('a new worker', async () => ((await readyPids(proxy)).length === 2 ? true : undefined));
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
});

test('a worker that cannot be started any more does not end those that serve', async (t) => {
  const installation = new Installation();
  t.after(() => installation.remove());
  const { proxy } = await startStack({ main: installation.main }, t);
  const [victim = 0, other = 0] = proxy.workerPids();
  writeFileSync(installation.file('workers/proxy-worker.js'), 'process.exit(7);\n');
  process.kill(victim, 'SIGKILL');
  await proxy.waitForLog(({ msg }) => msg === 'Worker 0 ended by exit code 7; a new one follows in 5000 ms');
  assert.deepEqual(await readyPids(proxy), [other]);
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
});
