// `npm run demo`, as a new user runs it.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../harness/eventually.ts';

const run = promisify(execFile);
const DEMO = fileURLToPath(new URL('../../ops/demo.js', import.meta.url));

test('the curl lines of the demo work when pasted, and Ctrl-C leaves nothing behind', async (t) => {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-test-'));
  t.after(() => rm(temporary, { recursive: true }));
  const environment = {
    ...process.env,
    TMPDIR: temporary,
    FLOW_PROXY_SECRETS_FILE: '/nowhere',
    FLOW_PROXY_PORT: 'bad',
  };
  const demo = spawn(process.execPath, [DEMO], { env: environment, detached: true });
  t.after(() => endGroup(demo));
  let output = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await eventually(
    'the instructions',
    () => (output.includes('Ctrl-C ends everything') ? true : undefined),
    30_000,
  );
  assert.match(output, /SIMULATED Flow LLM Proxy/);
  const lines = output.split('\n').filter((line) => line.startsWith('  curl '));
  assert.equal(lines.length, 5);
  for (const line of lines) {
    const { stdout } = await run('bash', ['-c', `${line} --fail-with-body -sS`]);
    assert.match(stdout, /"object":|message_stop|"status":"ok"/, line);
  }
  const children = await childrenOf(Number(demo.pid));
  assert.equal(children.length, 1);
  const exited = once(demo, 'exit');
  // A terminal's Ctrl-C reaches the whole foreground group.
  process.kill(-Number(demo.pid), 'SIGINT');
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(await readdir(temporary), []);
  for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]);
  return stdout.trim().split(/\s+/).map(Number);
}

function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-Number(pid), 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
