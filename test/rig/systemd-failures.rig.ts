// flow-proxy under a real systemd when something fails: workers, memory, the configuration, the primary itself.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { SimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import type { ServiceStatus } from '../../src/control/status.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { eventually } from '../harness/eventually.ts';
import { call, startCall } from '../harness/http-call.ts';
import { isInside, runBooted } from './booted.ts';
import {
  addSettings,
  dropIn,
  ENV_FILE,
  inJournal,
  install,
  prepareUpstream,
  primaryPid,
  property,
  removeDropIn,
  serve,
  UNIT,
  URL,
  untilActive,
  workerPids,
} from './installed.ts';
import { attempt, run } from './shell.ts';

const MODELS = `${URL}/v1/models`;

if (!isInside) {
  test('what fails under a real systemd', { timeout: 600_000 }, () => runBooted(import.meta.url));
} else {
  let upstream: SimulatedUpstream;

  before(async () => {
    upstream = await prepareUpstream();
    await install();
    await serve(upstream);
  });
  after(() => upstream.close());

  test('The doctor finds nothing to mend in a service that is well, and says what is the matter with one that is not', async () => {
    const examine = async (...options: readonly string[]): Promise<{ code: number; lines: string[] }> => {
      const doctor = `flow-proxy doctor --env-file ${ENV_FILE} --json ${options.join(' ')}`;
      const { code, stdout } = await attempt(`cd / && runuser -u flow-proxy -- ${doctor}`);
      const { findings }: { findings: readonly Finding[] } = JSON.parse(stdout);
      return {
        code,
        lines: findings.map(({ check, verdict, message, fix }) => `${check} ${verdict} ${message} ${fix}`),
      };
    };
    const has = (lines: readonly string[], line: RegExp): void =>
      assert.ok(
        lines.some((one) => line.test(one)),
        `${line} in\n${lines.join('\n')}`,
      );
    const well = await examine('--live');
    assert.equal(well.code, 0, well.lines.join('\n'));
    has(well.lines, /^secrets ok /);
    has(well.lines, /^port ok .*held by our own service: pid \d+, .*ready/);
    has(well.lines, /^log ok .*\/var\/log\/flow-proxy\/app\.log/);
    has(well.lines, /^systemd ok flow-proxy-plugin\.service is active \(running\), pid \d+/);
    for (const name of ['credential-1', 'credential-2', 'credential-3'])
      has(well.lines, new RegExp(`^credential ${name} ok `));
    await run(`systemctl stop ${UNIT} && chown root /etc/flow-proxy/secrets.json`);
    const ill = await examine();
    assert.equal(ill.code, 1);
    has(ill.lines, /^systemd warn .*inactive .*systemctl start flow-proxy-plugin\.service/);
    has(
      ill.lines,
      /^secrets fail .*permission denied .*uid 0, mode 0600.*\) `chown \d+ \/etc\/flow-proxy\/secrets\.json`$/,
    );
    await run('chown flow-proxy /etc/flow-proxy/secrets.json');
    const { code, stdout } = await attempt(`cd /
      setpriv --reuid=flow-proxy --regid=flow-proxy --init-groups flow-proxy --env-file ${ENV_FILE} --port 0 >/root/by-hand 2>&1 &
      until grep -q 'Ready on' /root/by-hand; do kill -0 $! || break; sleep 0.1; done
      kill $!; wait $!; code=$?; cat /root/by-hand; exit $code`);
    assert.match(stdout, /Ready on [\s\S]*flow-proxy ended: SIGTERM/, 'by hand, as its user');
    assert.equal(code, 0);
    await run(`systemctl start ${UNIT}`);
  });

  test('A worker that is killed is replaced by the same primary', async () => {
    const primary = await primaryPid();
    const [victim = 0, other = 0] = await workerPids();
    await run(`kill -9 ${victim}`);
    await eventually('two workers again', async () => {
      const pids = await workerPids();
      return pids.length === 2 && !pids.includes(victim) && pids.includes(other) ? true : undefined;
    });
    assert.equal(await primaryPid(), primary);
    assert.equal(await property('NRestarts'), '0');
  });

  test('A worker that is killed for want of memory is replaced, and the service stays', async () => {
    // The kernel's limit alone: by our own a worker would be replaced or killed before.
    const own = ['HARD', 'SOFT'].map((name) => `FLOW_PROXY_${name}_MEMORY_MB=1000`).join(' ');
    await dropIn('memory', `[Service]\nMemoryMax=400M\nEnvironment=${own}\n`);
    await run(`systemctl restart ${UNIT}`);
    const primary = await primaryPid();
    const before = await workerPids();
    // The upstream takes nothing, so that the workers keep all of it for another attempt.
    upstream.setFaults([{ path: '/v1/chat', phase: 'headers', fault: { type: 'stall' } }]);
    const content = 'x'.repeat(7_000_000);
    const body = Buffer.from(JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }] }));
    const uploads = Array.from({ length: 44 }, () =>
      startCall(`${URL}/v1/chat/completions`, { method: 'POST' }).on('error', () => {}),
    );
    for (const upload of uploads) upload.end(body);
    await eventually(
      'one worker was killed',
      async () => ((await workerPids()).every((pid) => before.includes(pid)) ? undefined : true),
      60_000,
    );
    for (const upload of uploads) upload.destroy();
    upstream.setFaults([]);
    await inJournal(/Worker \d ended by SIGKILL/, primary);
    // The kernel may have killed both, and a process is there before it serves.
    await eventually('two workers that serve', async () => {
      const { workers }: ServiceStatus = JSON.parse(await run('flow-proxy status --json'));
      return workers.filter(({ stage }) => stage === 'ready').length === 2 ? true : undefined;
    });
    assert.equal((await call(MODELS)).status, 200);
    assert.equal(await primaryPid(), primary);
    assert.equal(await property('NRestarts'), '0');
    await removeDropIn('memory');
  });

  test('A broken configuration is tried again and again, and served as soon as it is mended', async () => {
    const good = await readFile(ENV_FILE, 'utf8');
    await addSettings('FLOW_PROXY_NUM_WORKERS=plenty');
    assert.notEqual((await attempt(`systemctl restart ${UNIT}`)).code, 0);
    await eventually(
      'four more tries',
      async () => (Number(await property('NRestarts')) >= 4 ? true : undefined),
      60_000,
    );
    await writeFile(ENV_FILE, good);
    await untilActive();
    assert.equal((await call(MODELS)).status, 200);
  });

  test('A configuration that stays broken is given up after as many starts as the unit allows, and said so', async () => {
    const [burst, restartMs, intervalMs] = [100, 2_000, 900_000];
    assert.deepEqual(
      [
        await property('StartLimitBurst'),
        await property('RestartUSec'),
        await property('StartLimitIntervalUSec'),
      ],
      [String(burst), '2s', '15min'],
    );
    assert.ok(burst * restartMs >= 180_000, 'minutes, even when every start fails at once');
    // The same in small: a twentieth of the starts, and of the time between them.
    const [starts, pauseMs] = [burst / 20, restartMs / 20];
    await dropIn('hurry', `[Unit]\nStartLimitBurst=${starts}\n[Service]\nRestartSec=${pauseMs}ms\n`);
    const good = await readFile(ENV_FILE, 'utf8');
    await run(`systemctl stop ${UNIT} && systemctl reset-failed ${UNIT}`);
    await addSettings('FLOW_PROXY_NUM_WORKERS=plenty');
    const began = Date.now();
    assert.notEqual((await attempt(`systemctl start ${UNIT}`)).code, 0);
    await eventually(
      'systemd giving up',
      async () => ((await property('ActiveState')) === 'failed' ? true : undefined),
      60_000,
    );
    const tookMs = Date.now() - began;
    const journal = await run(
      `journalctl --sync && journalctl -u ${UNIT} --since @${Math.floor(began / 1000)} -o cat`,
    );
    assert.equal(journal.match(/FLOW_PROXY_NUM_WORKERS .*plenty/g)?.length, starts, journal);
    // systemd keeps the first cause as the result, and tells the limit in the journal.
    assert.equal(await property('Result'), 'exit-code');
    assert.match(journal, /Start request repeated too quickly/);
    const wholeMs = burst * (restartMs + tookMs / starts);
    assert.ok(wholeMs < intervalMs, `all ${burst} starts fit into the interval: ${wholeMs} ms`);
    await writeFile(ENV_FILE, good);
    await removeDropIn('hurry');
    await run(`systemctl reset-failed ${UNIT} && systemctl start ${UNIT}`);
    assert.equal((await call(MODELS)).status, 200);
  });

  test('The watchdog ends a primary that is frozen, and systemd starts another', async () => {
    await dropIn('watchdog', '[Service]\nWatchdogSec=3s\n');
    await run(`systemctl restart ${UNIT}`);
    const frozen = await primaryPid();
    await run(`kill -STOP ${frozen}`);
    await untilActive(frozen);
    await inJournal(/Watchdog timeout/);
    assert.equal((await call(MODELS)).status, 200);
    await removeDropIn('watchdog');
  });

  test('When all workers of an activated service are killed at once, systemd starts it anew and clients wait', async () => {
    await install('--socket');
    const before = await primaryPid();
    await run(`kill -9 ${(await workerPids()).join(' ')}`);
    assert.equal((await call(MODELS)).status, 200);
    assert.notEqual(await primaryPid(), before);
    const drain = await attempt('flow-proxy drain');
    assert.equal(drain.code, 1);
    assert.match(drain.stderr, /stop flow-proxy\.socket instead/);
  });
}
