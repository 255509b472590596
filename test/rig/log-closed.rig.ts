// A log whose folder is closed to the service, and one whose lines get stuck between a worker and the primary. Requests
// are answered all the same, what is lost is counted and told, and writing resumes by itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';
import { stopProcess } from '../harness/stop-process.ts';
import {
  CONTROL_SOCKET,
  command,
  FLOOD,
  FOLDER,
  flood,
  lines,
  lineThat,
  lossAfter,
  lostLines,
  warnings,
} from './log-trouble.ts';
import { isInside, runInside } from './private-mounts.ts';

/** Root as the owner of files, but bound by their permissions like anybody else. */
const AS_OWNER = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
const MODES = [
  ['one plain file', { LOG_FILE: join(FOLDER, 'app.log') }],
  ['rolled files', { LOG_DIR: FOLDER }],
] as const;

if (!isInside) test('in throw-away /etc, /var and /run', () => runInside(import.meta.url));
else {
  for (const [mode, settings] of MODES) {
    test(`a folder that has become read-only costs lines only beyond those that fit in memory, each counted (${mode})`, async (t) => {
      const { proxy } = await startInFolder(t, { ...settings, ADMIN_LISTEN: '127.0.0.1:0' });
      const adminUrl = await proxy.adminUrl();
      closeByMount();
      await flood(proxy, 20);
      assert.equal((await command('reopen')).code, 1);
      const reload = await command('reload', '--wait');
      assert.equal(reload.code, 0, 'the settings are fine');
      assert.match(reload.stdout, /nothing has changed\n {2}- the log could not be reopened: EROFS/);
      openByMount();
      assert.equal((await command('reopen')).code, 0);
      // Now the file itself is gone, too.
      removeFiles();
      closeByMount();
      await flood(proxy, FLOOD);
      const lost = await lossAfter(openByMount);
      assert.match((await command('status')).stdout, new RegExp(`, ${lost} lines lost\n`));
      assert.equal((await scrape(adminUrl)).sum('flow_proxy_log_lines_lost_total'), lost);
      assert.equal(await proxy.stop(), 0);
      assert.equal(warnings(proxy), 1, proxy.stderr);
      const exchanges = lines().filter(({ requestId }) => requestId !== undefined).length;
      t.diagnostic(`${lost} of ${FLOOD} lines lost`);
      assert.ok(exchanges + lost >= FLOOD && exchanges <= FLOOD, `${exchanges} written, ${lost} lost`);
    });

    test(`a folder whose permission was taken away costs no line for as long as lines fit in memory (${mode})`, async (t) => {
      const { proxy } = await startInFolder(t, settings);
      chmodSync(FOLDER, 0o500);
      removeFiles();
      await flood(proxy, 500);
      assert.match((await command('reopen')).stderr, /permission denied/);
      chmodSync(FOLDER, 0o700);
      await lineThat(({ msg }) => /can be written again; 0 lines were lost/.test(String(msg)));
      assert.equal(await proxy.stop(), 0);
      assert.match(proxy.stderr, /^flow-proxy: the log cannot be written to .*EACCES.*; serving goes on$/m);
      assert.equal(warnings(proxy), 1, proxy.stderr);
      assert.equal(lines().filter(({ requestId }) => requestId !== undefined).length, 500);
    });
  }

  test('lines that are lost because the primary does not read are counted in its status and its metrics', async (t) => {
    const { proxy } = await startInFolder(t, { ...MODES[0][1], NUM_WORKERS: 1, ADMIN_LISTEN: '127.0.0.1:0' });
    const agent = new Agent({ keepAlive: true, maxSockets: 40 });
    t.after(() => agent.destroy());
    // New connections are the primary's to take.
    await flood(proxy, 200, agent);
    await stopProcess(proxy.pid);
    await flood(proxy, FLOOD, agent);
    proxy.kill('SIGCONT');
    const { lostLines: told } = await lineThat(({ msg }) => /^Lost \d+ lines while/.test(String(msg)));
    assert.ok(Number(told) > 0);
    t.diagnostic(`${told} of ${FLOOD} lines lost`);
    const adminUrl = await proxy.adminUrl();
    const metrics = await eventually('the count of a heartbeat', async () => {
      const seen = await scrape(adminUrl);
      return seen.sum('flow_proxy_worker_log_lines_lost_total') === told ? seen : undefined;
    });
    assert.equal(await lostLines(), told);
    assert.equal(metrics.sum('flow_proxy_log_lines_lost_total'), 0, 'by the primary itself');
  });
}

/** A service whose log goes to the folder, and is not written by anybody else. */
async function startInFolder(t: TestContext, settings: Readonly<Record<string, string | number>>) {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  t.after(() => rmSync(FOLDER, { recursive: true }));
  return startStack({ runBy: AS_OWNER, settings: { ...settings, CONTROL_SOCKET } }, t);
}

/** Files that are open stay so; there is no other way to have them and a read-only folder. */
function closeByMount(): void {
  execFileSync('mount', ['--bind', FOLDER, FOLDER]);
  execFileSync('mount', ['-o', 'remount,bind,ro', FOLDER]);
}

function openByMount(): void {
  execFileSync('umount', [FOLDER]);
}

function removeFiles(): void {
  for (const name of readdirSync(FOLDER)) rmSync(join(FOLDER, name));
}
