// The shipped logrotate file and the real logrotate, on a log that is being written, with a reader that follows it.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { MAIN } from '../harness/flow-process.ts';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { root } from '../harness/root.ts';
import { startLeanUpstream } from './lean-http.ts';
import { isInside, runInside } from './private-mounts.ts';
import { startForwarding } from './rsyslog.ts';
import { steadyLoad } from './steady-load.ts';

const FOLDER = '/var/log/flow-proxy';
const SHIPPED = readFileSync(root('logrotate/flow-proxy'), 'utf8');
/** As the guide prints it, without the comments that logrotate refuses. */
const OF_THE_GUIDE = `${FOLDER}/*.log {
    daily
    rotate 14
    compress
    delaycompress
    notifempty
    create 0640 flow-proxy flow-proxy
    sharedscripts
    postrotate
        systemctl reload flow-proxy-plugin > /dev/null 2>&1 || flow-proxy reopen > /dev/null 2>&1 || true
    endscript
}
`;
const CREDENTIALS = [
  { clientId: 'id', clientSecret: 'a-secret-of-some-length-0123456789', tenant: 'tenant' },
];
const SECONDS = Number(process.env['RIG_SECONDS'] ?? 20);
const RATE = 2_000;
/** At most: 64 kB, see src/logging/line-queue.ts, and no line is shorter than this. */
const LINES_OF_A_WRITE = Math.ceil((64 * 1024) / 250);
/** Where `flow-proxy reopen` looks for a service under systemd. */
const CONTROL_SOCKET = '/run/flow-proxy/control.sock';

if (!isInside) test('in throw-away /etc, /var and /run', () => runInside(import.meta.url));
else {
  // The service runs as root here, so its user is another name of root.
  execFileSync('useradd', ['--non-unique', '--uid', '0', '--no-create-home', 'flow-proxy'], {
    stdio: 'pipe',
  });
  installCommand();
  mkdirSync(dirname(CONTROL_SOCKET));

  test('logrotate finds nothing to complain about in the shipped file', () => {
    mkdirSync(FOLDER, { recursive: true, mode: 0o750 });
    writeFileSync(join(FOLDER, 'app.log'), 'a line\n');
    writeFileSync(join(FOLDER, 'app.2026-11-24.1.log'), 'a file that is rolled by us\n');
    const { status, stderr } = logrotate('-d', install(SHIPPED));
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /error|warning: (?!logrotate in debug mode)/i);
    assert.match(stderr, /considering log \/var\/log\/flow-proxy\/app\.log\n/);
    assert.doesNotMatch(stderr, /app\.2026/);
  });

  test('check says who rotates, and warns of a logrotate file that covers what we roll ourselves', async () => {
    const file = install(OF_THE_GUIDE);
    const check = (settings: Record<string, string>) =>
      runFlowProxy({ args: ['check'], credentials: CREDENTIALS, settings });
    const internal = await check({ LOG_DIR: FOLDER });
    assert.match(internal.stdout, /internal rotation/);
    assert.ok(internal.stderr.includes(`${file}:1 `), internal.stderr);
    assert.match((await check({ LOG_FILE: join(FOLDER, 'app.log') })).stdout, /external rotation \(by \/etc/);
    install(SHIPPED);
    assert.equal((await check({ LOG_DIR: FOLDER })).stderr, '', 'the shipped file leaves rolled files alone');
  });

  for (const [name, config, seconds] of [
    ['shipped', SHIPPED, SECONDS],
    ['guide’s', OF_THE_GUIDE, SECONDS / 2],
  ] as const) {
    // Where logrotate makes the new file, the reader may go over to it while lines are being written to the old one.
    const mayMiss = config === SHIPPED ? 0 : LINES_OF_A_WRITE;
    test(`under load and a rotation a second by the ${name} file every exchange is one whole line; imfile misses ${mayMiss === 0 ? 'none' : 'no more than a write'}`, async (t) => {
      execFileSync('rm', ['-rf', FOLDER]);
      mkdirSync(FOLDER, { recursive: true, mode: 0o750 });
      const log = join(FOLDER, 'app.log');
      const upstream = await startLeanUpstream(t);
      const settings = { LOG_FILE: log, CONTROL_SOCKET };
      const proxy = await startFlowProxy({ upstream: upstream.url, credentials: CREDENTIALS, settings }, t);
      const reader = await startForwarding(log, t);
      // Every file is kept for the count.
      const file = install(config.replace('rotate 14', 'rotate 1000'));
      const load = steadyLoad(`${proxy.url}/v1/models`, RATE, seconds);
      let rotations = 0;
      const ended = load.then(() => true);
      while (!(await Promise.race([ended, pause(1_000, false)]))) {
        const { status, stderr } = logrotate('-f', file);
        assert.equal(status, 0, stderr);
        rotations += 1;
      }
      const { requestIds: answered, failed, tookMs } = await load;
      assert.equal(await proxy.stop(), 0);
      const written = requestIds(FOLDER);
      const rate = Math.round((answered.length * 1_000) / tookMs);
      t.diagnostic(`${answered.length} exchanges, ${rate} a second, ${rotations} rotations`);
      assert.equal(answered.length, RATE * seconds);
      assert.equal(failed, 0);
      assert.ok(rotations >= seconds / 4, `${rotations} rotations in ${seconds} s`);
      assert.equal(written.length, answered.length, 'as many lines as exchanges');
      assert.deepEqual(new Set(written), new Set(answered), 'none lost, none twice');
      // Lines arrive in order, and this is the last one.
      await eventually(
        'the last line at the log server',
        () => reader.received().includes('flow-proxy ended: SIGTERM') || undefined,
        60_000,
      );
      const received = idsIn(reader.received());
      const known = new Set(answered);
      assert.equal(new Set(received).size, received.length, 'none twice at the log server');
      assert.ok(received.every((id) => known.has(id)));
      const missing = answered.length - received.length;
      t.diagnostic(`${missing} of them missing at the log server`);
      assert.ok(missing <= rotations * mayMiss, `${missing} missing after ${rotations} rotations`);
    });
  }
}

function install(config: string): string {
  const file = '/etc/logrotate.d/flow-proxy';
  writeFileSync(file, config);
  return file;
}

/** `flow-proxy` in the PATH of logrotate's scripts; there is no systemd here to reload by. */
function installCommand(): void {
  const command = '/run/flow-proxy-bin/flow-proxy';
  mkdirSync(dirname(command), { recursive: true });
  writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`);
  chmodSync(command, 0o755);
}

function logrotate(option: string, file: string): { status: number | null; stderr: string } {
  const { PATH = '' } = process.env;
  return spawnSync('logrotate', [option, file], {
    encoding: 'utf8',
    env: { PATH: `/run/flow-proxy-bin:${PATH}:/usr/sbin` },
  });
}

/** Of every line of an exchange, in every file there is. */
function requestIds(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const bytes = readFileSync(join(folder, name));
    return idsIn((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
  });
}

function idsIn(lines: string): string[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).requestId)
    .filter((id) => id !== undefined);
}
