import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askService, ControlError } from '../../../src/control/client.ts';

/** A service that answers when it is told to. */
async function startSlow(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const path = join(folder, 'control.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  return { path, server };
}

test('a service that hangs is said to hang', async (t) => {
  const { path } = await startSlow(t);
  await assert.rejects(
    askService([path], 'status', {}, 100),
    (cause) => cause instanceof ControlError && /has not answered for 0\.1 s/.test(cause.message),
  );
});

test('whoever waits for an outcome waits for as long as it takes', async (t) => {
  const { path, server } = await startSlow(t);
  server.on('request', (_request, response) => setTimeout(() => response.end('{}'), 200));
  assert.deepEqual(await askService([path], 'reload', { wait: true }, 50), {});
});
