// New code on disk is picked up by a reload, and code that cannot serve is not.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { reload, statusOf } from '../harness/control.ts';
import { call } from '../harness/http-call.ts';
import { root } from '../harness/root.ts';
import { startStack } from '../harness/stack.ts';

/** An installation of its own, to be changed under the running service. */
function install(t: TestContext): { readonly main: string; readonly worker: string } {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-installed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const part of ['package.json', 'dist/src', 'dist/workers']) {
    cpSync(root(part), join(folder, part), { recursive: true });
  }
  symlinkSync(root('node_modules'), join(folder, 'node_modules'));
  return {
    main: join(folder, 'dist/src/cli/main.js'),
    worker: join(folder, 'dist/workers/proxy-worker.js'),
  };
}

test('a reload after an upgrade in place replaces every worker; broken code is refused and costs nothing', async (t) => {
  const { main, worker } = install(t);
  const { proxy } = await startStack({ main }, t);
  const before = proxy.workerPids();
  appendFileSync(worker, '// another version\n');
  assert.deepEqual((await reload(proxy)).reasons, ['all workers replaced: new code on disk']);
  const after = (await statusOf(proxy)).workers.map(({ pid }) => pid);
  assert.ok(after.every((pid) => !before.includes(pid)));

  const good = readFileSync(worker, 'utf8');
  writeFileSync(worker, 'throw new Error("a broken build");\n');
  const reply = await reload(proxy);
  assert.equal(reply.outcome, 'refused');
  assert.match(reply.reasons.join(), /the new worker 0 cannot serve: it ended by exit code 1/);
  const status = await statusOf(proxy);
  assert.equal(status.lastReload?.outcome, 'failed');
  assert.deepEqual(
    status.workers.map(({ pid }) => pid),
    after,
  );
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);

  writeFileSync(worker, good);
  assert.equal((await reload(proxy)).message, 'nothing has changed; the log was reopened');
});
