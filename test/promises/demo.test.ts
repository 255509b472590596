// `npm run demo`, as a new user runs it.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '../harness/eventually.ts';
import { isAlive } from '../harness/is-alive.ts';

const run = promisify(execFile);
const DEMO = fileURLToPath(new URL('../../ops/demo.js', import.meta.url));

test('the curl lines of the demo work when pasted, and Ctrl-C leaves nothing behind', async (t) => {
  const demo = await startDemo(t);
  assert.match(demo.output(), /SIMULATED Flow LLM Proxy/);
  const lines = demo
    .output()
    .split('\n')
    .filter((line) => line.startsWith('  curl '));
  assert.equal(lines.length, 5);
  for (const line of lines) {
    const { stdout } = await run('bash', ['-c', `${line} --fail-with-body -sS`]);
    assert.match(stdout, /"object":|message_stop|"status":"ok"/, line);
  }
  const children = await childrenOf(demo.pid);
  assert.equal(children.length, 1);
  const exited = once(demo.process, 'exit');
  // A terminal's Ctrl-C reaches the whole foreground group.
  process.kill(-demo.pid, 'SIGINT');
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(await readdir(demo.temporary), []);
  for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});

test('a demo that is killed leaves nothing behind either, nor one whose npm is killed', async (t) => {
  // What npm is to a demo: its parent, by the name of the script that it runs.
  const npm = ['-c', '"$@" & wait', 'npm', process.execPath, DEMO];
  const killed = await startDemo(t);
  const orphaned = await startDemo(t, { npm_lifecycle_event: 'demo' }, ['bash', ...npm]);
  const ends = async (demo: Demo): Promise<void> => {
    const left = await descendantsOf(demo.pid);
    assert.ok(left.length >= 3, 'flow-proxy and its workers at least');
    demo.process.kill('SIGKILL');
    await eventually('the end of all', () => (left.some(isAlive) ? undefined : true), 60_000);
    assert.deepEqual(await readdir(demo.temporary), []);
    assert.doesNotMatch(demo.output(), /ending at once/);
  };
  await Promise.all([killed, orphaned].map(ends));
});

interface Demo {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Where it makes its files. */
  readonly temporary: string;
  readonly output: () => string;
}

/** Resolves once it has printed its instructions. */
async function startDemo(
  t: TestContext,
  variables: Readonly<Record<string, string>> = {},
  [program = '', ...args]: readonly string[] = [process.execPath, DEMO],
): Promise<Demo> {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-test-'));
  t.after(() => rm(temporary, { recursive: true }));
  const environment = {
    ...process.env,
    TMPDIR: temporary,
    FLOW_PROXY_SECRETS_FILE: '/nowhere',
    FLOW_PROXY_PORT: 'bad',
    ...variables,
  };
  const demo = spawn(program, args, { env: environment, detached: true });
  t.after(() => endGroup(demo));
  let output = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await eventually(
    'the instructions',
    () => (output.includes('Ctrl-C ends everything') ? true : undefined),
    60_000,
  );
  return { process: demo, pid: Number(demo.pid), temporary, output: () => output };
}

async function childrenOf(pid: number): Promise<number[]> {
  // Without children it ends with 1.
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.split(/\s+/).filter(Boolean).map(Number);
}

async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  const below = await Promise.all(children.map(descendantsOf));
  return [...children, ...below.flat()];
}

function endGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-Number(pid), 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
