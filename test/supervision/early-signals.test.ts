// Signals of the first moments of a start, when all there is of flow-proxy is its entry point.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { within } from '../harness/eventually.ts';
import { type FlowProcess, MAIN, type ProcessOptions, spawnFlowProxy } from '../harness/flow-process.ts';
import { call } from '../harness/http-call.ts';
import { root } from '../harness/root.ts';

const CREDENTIALS = [{ name: 'one', clientId: 'id-1', clientSecret: 'secret-of-one', tenant: 't' }];
const STORM_EVERY_MS = 2;
const START_MS = 60_000;

interface HeldStart {
  readonly proxy: FlowProcess;
  /** Lets the program be loaded. */
  readonly goOn: () => Promise<void>;
}

/** Starts a flow-proxy whose program is not loaded yet, and resolves once all of its entry point has run. */
async function startHeld(options: ProcessOptions, t: TestContext): Promise<HeldStart> {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-early-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const main = join(folder, 'src/cli/main.js');
  const program = 'chunks/program.js';
  for (const file of [main, join(folder, program)]) mkdirSync(dirname(file), { recursive: true });
  copyFileSync(MAIN, main);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // To read and write, as to open one end alone waits for the other.
  const held = await open(pipe, 'r+');
  t.after(() => held.close());
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, program),
    `import { openSync, readSync, writeSync } from 'node:fs';
     const pipe = openSync(${JSON.stringify(pipe)}, 'r');
     writeSync(1, '{"msg":"loading"}\\n');
     readSync(pipe, Buffer.alloc(1));
     const real = await import(${JSON.stringify(pathToFileURL(root(`dist/${program}`)).href)});
     export const runProgram = real.runProgram;`,
  );
  const proxy = await spawnFlowProxy({ ...options, main });
  t.after(() => proxy.end());
  await proxy.log.waitFor(({ msg }) => msg === 'loading', START_MS);
  return {
    proxy,
    goOn: async () => {
      await held.write('x');
    },
  };
}

test('a service that gets HUP and USR2 again and again from its first line on comes up, heeds them and serves', async (t) => {
  const settings = { PORT: 0, NUM_WORKERS: 1, CONTROL_SOCKET: 'control.sock' };
  const { proxy, goOn } = await startHeld({ credentials: CREDENTIALS, settings }, t);
  proxy.kill('SIGHUP');
  proxy.kill('SIGUSR2');
  await goOn();
  const storm = setInterval(() => proxy.kill('SIGHUP'), STORM_EVERY_MS);
  t.after(() => clearInterval(storm));
  const ready = proxy.log.waitFor(({ msg }) => msg.startsWith('Ready on '), START_MS);
  const ended = proxy.exited.then(({ code, signal }) =>
    assert.fail(`it ended with ${signal ?? code}: ${proxy.describe()}`),
  );
  const { msg } = await Promise.race([ready, ended]);
  clearInterval(storm);
  for (const signal of ['SIGHUP', 'SIGUSR2']) {
    await proxy.log.waitFor((line) => line.msg.startsWith(`${signal}: log reopened`), START_MS);
  }
  const url = /http:\S+/.exec(msg)?.[0];
  assert.equal((await call(`${url}/healthz`)).status, 200);
  ended.catch(() => {});
  assert.equal((await proxy.stop()).code, 0);
});

test('a command that serves nothing is ended by a HUP that came early, as any program is', async (t) => {
  const options = { credentials: CREDENTIALS, args: ['check'] };
  const { proxy, goOn } = await startHeld(options, t);
  proxy.kill('SIGHUP');
  await goOn();
  assert.equal((await within('its end', START_MS, proxy.exited)).signal, 'SIGHUP');
});
