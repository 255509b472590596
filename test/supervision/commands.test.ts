// `flow-proxy status|reopen|drain|stop`: what they print and what their exit codes tell.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { setInEnvFile } from '../harness/control.ts';
import { call } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { startStack } from '../harness/stack.ts';

/** Another user, who may read what root may, as the code under test is perhaps not for everybody. */
const NOBODY = ['setpriv', '--reuid=65534', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];

test('the commands reach the service by its socket, and their exit codes tell the outcome', async (t) => {
  const { proxy, credentials } = await startStack({ logToFile: true }, t);
  const socket = join(proxy.folder, 'control.sock');
  const run = (...args: string[]): Promise<CommandResult> =>
    runFlowProxy({ settings: { CONTROL_SOCKET: socket }, args });

  const { code, stdout } = await run('status');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^flow-proxy \\S+: ready, pid ${proxy.pid}, since 2`));
  assert.match(stdout, /workers: 2 of 2 ready, generation 1\n {2}0: pid \d+, ready/);
  const printed = `${stdout}${(await run('status', '--json')).stdout}`;
  for (const { clientId, clientSecret } of credentials) {
    assert.ok(!printed.includes(clientSecret) && !printed.includes(clientId));
  }

  const file = proxy.logFile ?? '';
  renameSync(file, `${file}.1`);
  assert.equal((await run('reopen')).code, 0);
  assert.ok(existsSync(file), 'the new file is there when the command returns');

  assert.equal((await run('status', '--nonsense')).code, 64);
  const reloaded = await run('reload', '--wait', '--json');
  assert.deepEqual(
    [reloaded.code, JSON.parse(reloaded.stdout)],
    [
      0,
      {
        outcome: 'done',
        message: 'nothing has changed; the log was reopened',
        reasons: [],
        pid: proxy.pid,
      },
    ],
  );
  setInEnvFile(proxy, 'NUM_WORKERS', 'plenty');
  setInEnvFile(proxy, 'MAX_IN_FLIGHT', 'many');
  const refused = await run('reload', '--wait', '--json');
  assert.deepEqual([refused.code, JSON.parse(refused.stdout).outcome], [1, 'refused']);
  assert.match(JSON.parse(refused.stdout).reasons.join(), /"many"/);
  const stopped = await run('stop', '--wait');
  assert.deepEqual([stopped.code, stopped.stdout], [0, 'flow-proxy: ended with exit code 0: stop command\n']);
  assert.equal((await proxy.exited).code, 0);
  assert.ok(!existsSync(socket));
  await assert.rejects(call(`${proxy.url}/healthz`));
  for (const verb of ['status', 'reload', 'reopen', 'drain', 'stop']) {
    const { code: absent, stderr } = await run(verb);
    assert.equal(absent, 3);
    assert.match(stderr, /^flow-proxy: nothing is running: no service answers at \/\S+control\.sock$/m);
  }
});

test('a service of another user is not said to be none: permission is lacking', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root, to be two users');
  const temporary = mkdtempSync(join(tmpdir(), 'flow-proxy-users-'));
  t.after(() => rmSync(temporary, { recursive: true }));
  chmodSync(temporary, 0o1777);
  const port = await freePort();
  const environment = { TMPDIR: temporary };
  const { proxy } = await startStack({ settings: { PORT: port, CONTROL_SOCKET: 'auto' }, environment }, t);
  const socket = join(temporary, 'flow-proxy-0', `control-${port}.sock`);
  const settings = { PORT: port };
  const ours = await runFlowProxy({ settings, environment, args: ['status'] });
  assert.equal(ours.code, 0, ours.stderr);
  for (const verb of ['status', 'reload', 'stop']) {
    const { code, stderr } = await runFlowProxy({ settings, environment, args: [verb], runBy: NOBODY });
    assert.equal(code, 1);
    assert.ok(
      stderr.includes(`the service at ${socket} belongs to another one: run this as that user`),
      stderr,
    );
  }
  assert.equal(await proxy.stop(), 0);
  const { code } = await runFlowProxy({ settings, environment, args: ['status'], runBy: NOBODY });
  assert.equal(code, 3);
});
