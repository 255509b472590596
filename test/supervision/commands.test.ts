// `flow-proxy status|reopen|drain|stop`: what they print and what their exit codes tell.
import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { call } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

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
