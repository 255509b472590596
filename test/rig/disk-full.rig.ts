// A log that cannot be written: the disk is full, the folder is gone, nobody reads standard output. Requests are
// answered all the same, memory stays bounded, what is lost is counted, and writing resumes by itself.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateCredentials, startSimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import { eventually } from '../harness/eventually.ts';
import { MAIN } from '../harness/flow-process.ts';
import { call } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { startStack } from '../harness/stack.ts';
import {
  CONTROL_SOCKET,
  command,
  FLOOD,
  FOLDER,
  flood,
  lines,
  lineThat,
  lossAfter,
  warnings,
} from './log-trouble.ts';
import { isInside, runInside } from './private-mounts.ts';

const CREDENTIALS = generateCredentials(2);

if (!isInside) test('in throw-away /etc, /var and /run', () => runInside(import.meta.url));
else {
  for (const [mode, settings] of [
    ['one plain file', { LOG_FILE: join(FOLDER, 'app.log') }],
    ['rolled files', { LOG_DIR: FOLDER, LOG_ROLL_SIZE_MB: 1, LOG_MAX_SIZE_MB: 100 }],
  ] as const) {
    test(`a full disk costs log lines, counted, and no request (${mode})`, async (t) => {
      mountSmallDisk(t);
      const { proxy } = await startStack({ settings: { ...settings, CONTROL_SOCKET } }, t);
      await flood(proxy, 20);
      const ballast = join(FOLDER, 'ballast');
      fillDisk(ballast);
      await flood(proxy, FLOOD);
      const lost = await lossAfter(() => rmSync(ballast));
      assert.equal(await proxy.stop(), 0);
      assert.equal(warnings(proxy), 1, proxy.stderr);
      const exchanges = lines().filter(({ requestId }) => requestId !== undefined).length;
      t.diagnostic(`${lost} of ${FLOOD + 20} lines lost`);
      assert.ok(exchanges + lost >= FLOOD + 20, `${exchanges} written, ${lost} lost`);
      assert.ok(exchanges <= FLOOD + 20, 'none twice');
    });

    test(`a folder that is gone and cannot be made again costs no line for as long as lines fit in memory (${mode})`, async (t) => {
      mkdirSync(FOLDER, { recursive: true });
      t.after(() => rmSync(FOLDER, { recursive: true, force: true }));
      const { proxy } = await startStack({ settings: { ...settings, CONTROL_SOCKET } }, t);
      rmSync(FOLDER, { recursive: true });
      writeFileSync(FOLDER, 'in the way');
      await flood(proxy, 500);
      assert.equal((await command('reopen')).code, 1, 'a reopen tells that it failed');
      rmSync(FOLDER);
      await eventually('the log', () => existsSync(FOLDER) || undefined);
      await lineThat(({ msg }) => /can be written again; 0 lines were lost/.test(String(msg)));
      assert.equal(await proxy.stop(), 0);
      assert.equal(warnings(proxy), 1, proxy.stderr);
      assert.equal(lines().filter(({ requestId }) => requestId !== undefined).length, 500);
    });
  }

  test('a standard output that nobody reads costs no request, and what is lost is told when somebody does', async (t) => {
    const upstream = await startSimulatedUpstream({ credentials: CREDENTIALS });
    t.after(() => upstream.close());
    const { child, url } = await startUnread(t, upstream.url);
    await flood({ url }, FLOOD);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      output += piece;
    });
    const told = /The log can be written again; (\d+) lines were lost/;
    await eventually('the line that tells', () => told.test(output) || undefined);
    const lost = Number(told.exec(output)?.[1]);
    assert.ok(lost > 0);
    t.diagnostic(`${lost} of ${FLOOD} lines lost`);
    child.stdout.pause();
    await flood({ url }, 600);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null], 'it ends by itself though nobody reads');
  });

  test('a folder that was moved away and made anew is written to after a reopen', async (t) => {
    mkdirSync(FOLDER, { recursive: true });
    const moved = `${FOLDER}.moved`;
    t.after(() => {
      for (const path of [FOLDER, moved]) rmSync(path, { recursive: true, force: true });
    });
    const { proxy } = await startStack({ settings: { LOG_FILE: `${FOLDER}/app.log`, CONTROL_SOCKET } }, t);
    renameSync(FOLDER, moved);
    assert.equal((await command('reopen')).code, 0);
    await flood(proxy, 1);
    await lineThat(({ requestId }) => requestId !== undefined);
    assert.equal(await proxy.stop(), 0);
  });
}

/** A service whose standard output is a pipe that is not read. */
async function startUnread(t: TestContext, upstream: string) {
  const folder = mkdtempSync(join(tmpdir(), 'unread-'));
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify(CREDENTIALS), { mode: 0o600 });
  const port = await freePort();
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    FLOW_PROXY_TARGET_URL: upstream,
    FLOW_PROXY_PORT: String(port),
    FLOW_PROXY_NUM_WORKERS: '2',
    FLOW_PROXY_ADMIN_LISTEN: 'off',
    FLOW_PROXY_CONTROL_SOCKET: 'control.sock',
  };
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, [MAIN], { cwd: folder, env, stdio });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = (): Promise<true | undefined> =>
    call(`${url}/readyz`).then(
      ({ status }) => status === 200 || undefined,
      () => undefined,
    );
  await eventually('the service', isReady);
  return { child, url };
}

function mountSmallDisk(t: TestContext): void {
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=755', 'small', FOLDER]);
  t.after(() => {
    execFileSync('umount', ['--lazy', FOLDER]);
  });
}

function fillDisk(file: string): void {
  try {
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4k'], { stdio: 'pipe' });
  } catch {
    // It ends when the disk is full.
  }
}
