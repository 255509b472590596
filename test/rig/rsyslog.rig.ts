// The shipped rsyslog configurations with real daemons: every line arrives as it was written, also those from a time
// when the log server was away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { MAIN } from '../harness/flow-process.ts';
import { call } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { startStack } from '../harness/stack.ts';
import { isInside, runInside } from './private-mounts.ts';
import { endDaemon, type LogServer, startForwarder, startLogServer } from './rsyslog.ts';

/** So that a test need not wait for the shipped 10 s. */
const SOON = { 'action.resumeInterval="10"': 'action.resumeInterval="1"' };
const ARRIVAL_MS = 60_000;
const JOURNAL_SOCKET = '/run/systemd/journal/stdout';

if (!isInside) test('in throw-away /etc, /var and /run', () => runInside(import.meta.url));
else {
  test('imfile forwards every line unchanged and in order, those from an outage of the log server too', async (t) => {
    const { proxy } = await startStack({ logToFile: true }, t);
    const file = String(proxy.logFile);
    const folder = mkdtempSync(join(tmpdir(), 'log-server-'));
    const server = await startLogServer(t, { folder });
    const changes = { ...SOON, '/var/log/flow-proxy/app.log': file };
    startForwarder('flow-proxy-imfile.conf', server.port, changes, t);
    // The last line that comes by itself: what is under way when a server breaks off is lost to plain TCP.
    await proxy.waitForLog(({ msg }) => msg.startsWith('Ready on '), ARRIVAL_MS);
    // The file as it is by then: lines come by themselves too.
    const isWhole = (ids: readonly string[]) => (lines: string) =>
      ids.every((id) => lines.includes(id)) && lines === readFileSync(file, 'utf8');
    const before = await requests(`${proxy.url}/v1/models`, 50);
    await arrival(server, isWhole(before));
    await server.stop();
    const during = await requests(`${proxy.url}/v1/models`, 50);
    const again = await startLogServer(t, { folder, port: server.port });
    await arrival(again, isWhole([...before, ...during]));
  });

  test('what a service without a log file writes to the journal is forwarded line by line', async (t) => {
    await startJournal(t);
    const server = await startLogServer(t);
    startForwarder('flow-proxy-journal.conf', server.port, SOON, t);
    const url = await startInJournal(t);
    const ids = await requests(`${url}/health`, 50);
    await arrival(server, (lines) => ids.every((id) => lines.includes(`"requestId":"${id}"`)));
    const lines = server.received().trimEnd().split('\n');
    const arrived = lines.map((line) => JSON.parse(line).requestId).filter((id) => ids.includes(id));
    assert.equal(arrived.length, ids.length, 'none twice');
  });
}

/** Sends requests one after the other and gives their ids. */
async function requests(url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) ids.push(String((await call(url)).headers['x-request-id']));
  return ids;
}

async function arrival(server: LogServer, isComplete: (lines: string) => boolean): Promise<void> {
  await eventually(
    'the arrival of the last line at the log server',
    () => isComplete(server.received()) || undefined,
    ARRIVAL_MS,
  ).catch((cause: unknown) => {
    throw new Error(`the log server has:\n${server.received().slice(-2_000)}`, { cause });
  });
}

/** A journal of its own, in the /run of this namespace. */
async function startJournal(t: TestContext): Promise<void> {
  mkdirSync('/run/systemd/journal', { recursive: true });
  mkdirSync('/run/log/journal', { recursive: true });
  mkdirSync('/etc/systemd', { recursive: true });
  const settings = ['Storage=volatile', 'ReadKMsg=no', 'Audit=no', 'ForwardToSyslog=no'];
  writeFileSync('/etc/systemd/journald.conf', `[Journal]\n${settings.join('\n')}\n`);
  const journal = spawn('/lib/systemd/systemd-journald', [], { stdio: 'inherit' });
  t.after(() => endDaemon(journal));
  await eventually('the journal', () => existsSync(JOURNAL_SOCKET) || undefined);
}

/** A service whose standard output is the journal, as systemd starts it; resolves when it serves. */
async function startInJournal(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'in-journal-'));
  const port = await freePort();
  const secrets = [{ clientId: 'id', clientSecret: 'a-secret-of-some-length-0123456789', tenant: 'tenant' }];
  writeFileSync(join(folder, 'secrets.json'), JSON.stringify(secrets), { mode: 0o600 });
  const { PATH = '' } = process.env;
  const service = spawn('systemd-cat', ['--identifier=flow-proxy', process.execPath, MAIN], {
    cwd: folder,
    env: {
      PATH,
      FLOW_PROXY_PORT: String(port),
      FLOW_PROXY_ADMIN_LISTEN: 'off',
      FLOW_PROXY_CONTROL_SOCKET: 'control.sock',
      FLOW_PROXY_NUM_WORKERS: '2',
      // Health routes are no more than that.
      FLOW_PROXY_LOG_LEVEL: 'DEBUG',
    },
    stdio: 'ignore',
  });
  t.after(async () => {
    await endDaemon(service);
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = (): Promise<true | undefined> =>
    call(`${url}/readyz`).then(
      ({ status }) => status === 200 || undefined,
      () => undefined,
    );
  await eventually('the service', isReady, ARRIVAL_MS);
  return url;
}
