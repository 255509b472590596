import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { askService, NotRunningError } from '../../../src/control/client.ts';
import { ControlServer } from '../../../src/supervisor/control-server.ts';
import { silentLogger } from './silent-logger.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-control-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

async function open(t: TestContext, path: string, hasOwnFolder = false): Promise<ControlServer> {
  const verbs = { echo: (argument: object) => argument };
  const server = await ControlServer.open([{ path, hasOwnFolder }], verbs, silentLogger);
  t.after(() => server.close());
  return server;
}

describe('the control socket', () => {
  it('answers the verbs of its table to nobody but its owner, and is gone with the service', async (t) => {
    const path = join(folderOf(t), 'a.sock');
    const server = await open(t, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(await askService([path], 'echo', { a: 1 }), { a: 1 });
    assert.deepEqual(await askService([path], 'nothing'), { error: 'there is no verb "nothing"' });
    await server.close();
    await assert.rejects(askService([path], 'echo'), NotRunningError);
  });

  it('leaves nothing behind that would hold up the end of the service', async (t) => {
    const before = timers();
    const server = await open(t, join(folderOf(t), 'd.sock'));
    await server.close();
    assert.equal(timers(), before);
  });

  it('takes the place of one that a killed service has left, but not of one that is in use', async (t) => {
    const path = join(folderOf(t), 'b.sock');
    const dying = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['-e', dying]).signal, 'SIGKILL');
    assert.ok(statSync(path).isSocket());
    await open(t, path);
    assert.deepEqual(await askService([path], 'echo', { b: 2 }), { b: 2 });
    await assert.rejects(open(t, path), /b\.sock: another service listens there/);
  });

  it('makes a folder of its own closed to others, and trusts none that is open', async (t) => {
    const folder = join(folderOf(t), 'own');
    const server = await open(t, join(folder, 'c.sock'), true);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    await server.close();
    chmodSync(folder, 0o755);
    await assert.rejects(open(t, join(folder, 'c.sock'), true), /open to others/);
  });
});
