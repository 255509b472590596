// flow-proxy under a real systemd: installed by the shipped installer, then everything that operators do to a service.
// What fails is systemd-failures.rig.ts's. One boot serves all; the tests build on each other in this order.
import assert from 'node:assert/strict';
import { access, appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { SimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import { eventually } from '../harness/eventually.ts';
import { call, openCall, readAnswer } from '../harness/http-call.ts';
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
  SECRETS,
  saysOfItself,
  serve,
  UNIT,
  URL,
  workerPids,
} from './installed.ts';
import { attempt, run } from './shell.ts';
import { underLoad } from './under-load.ts';

const MODELS = `${URL}/v1/models`;
const RATE = 100;

if (!isInside) {
  test('flow-proxy under a real systemd', { timeout: 600_000 }, () => runBooted(import.meta.url));
} else {
  let upstream: SimulatedUpstream;

  before(async () => {
    upstream = await prepareUpstream();
  });
  after(() => upstream.close());

  test('The installer makes user, folders, unit, environment file and logrotate file, and starts nothing without secrets', async () => {
    const said = await install();
    assert.match(said, /put your credentials into \/etc\/flow-proxy\/secrets\.json/);
    assert.match(await run('id flow-proxy'), /flow-proxy/);
    for (const path of [ENV_FILE, `/etc/systemd/system/${UNIT}.service`, '/etc/logrotate.d/flow-proxy']) {
      await access(path);
    }
    assert.equal((await attempt(`systemctl is-active ${UNIT}`)).stdout, 'inactive');
    assert.equal(await run(`systemctl is-enabled ${UNIT}`), 'enabled');
  });

  test('systemd-analyze has nothing to say about the units, and finds an exposure of at most 2.0', async () => {
    const { code, stdout, stderr } = await attempt(
      `systemd-analyze verify /etc/systemd/system/${UNIT}.service`,
    );
    assert.deepEqual({ code, said: stdout + stderr }, { code: 0, said: '' });
    const security = await run(`systemd-analyze security --no-pager ${UNIT}.service`);
    const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(security)?.[1]);
    assert.ok(exposure <= 2, `exposure ${exposure}`);
  });

  test('The unit of the predecessor stays while there are no secrets, and makes way when we take over', async () => {
    const predecessor = '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n';
    await writeFile(`/etc/systemd/system/${UNIT}.service`, predecessor);
    await run(`systemctl daemon-reload && systemctl start ${UNIT}`);
    assert.match(await install(), /kept \S+flow-proxy-plugin\.service/);
    assert.equal(await run(`systemctl is-active ${UNIT}`), 'active');
    await serve(upstream);
    assert.equal(await readFile('/etc/flow-proxy/removed/predecessor.service', 'utf8'), predecessor);
    assert.equal((await call(MODELS)).status, 200);
  });

  test('A second run of the installer keeps an edited environment file, and the service goes on', async () => {
    const edited = await readFile(ENV_FILE, 'utf8');
    await install('--secrets', SECRETS);
    assert.equal(await readFile(ENV_FILE, 'utf8'), edited);
    assert.equal((await stat('/etc/flow-proxy/secrets.json')).mode & 0o777, 0o600);
    assert.equal(await run(`systemctl is-active ${UNIT}`), 'active');
    assert.equal((await call(MODELS)).status, 200);
    assert.equal(await run('ls /opt/flow-proxy-plugin/releases | wc -l'), '1');
  });

  test('The commands of the guide work by the name of the guide, and by the other one', async () => {
    for (const verb of ['disable', 'enable', 'status', 'reload', 'restart'])
      await run(`systemctl ${verb} ${UNIT}`);
    await run('systemctl status flow-proxy');
    await run('systemctl reload flow-proxy');
    await inJournal(/Ready on/);
    await run('flow-proxy status');
  });

  test('systemctl status tells the state, the workers, the credentials and what is in flight; limits go by MemoryMax', async () => {
    await saysOfItself(/^ready: 2 of 2 workers, 3 of 3 credentials available, \d+ in flight/);
    const { limits } = JSON.parse(await run('flow-proxy status --json'));
    assert.equal(limits.hardBytes, Math.floor((0.8 * Number(await property('MemoryMax'))) / 3));
  });

  test('It runs as its own user, without capabilities, and can write only to its log and run-time folders', async () => {
    const pid = await primaryPid();
    assert.equal(await run(`stat -c %U /proc/${pid}`), 'flow-proxy');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /CapEff:\t0+\n/);
    assert.match(status, /NoNewPrivs:\t1/);
    assert.match(status, /Seccomp:\t2/);
    const inside = `nsenter -t ${pid} -m -- touch`;
    for (const folder of ['/etc/flow-proxy', '/opt/flow-proxy-plugin', '/usr/bin', '/var/lib']) {
      assert.match((await attempt(`${inside} ${folder}/x`)).stderr, /Read-only file system/, folder);
    }
    for (const folder of ['/var/log/flow-proxy', '/run/flow-proxy', '/tmp']) {
      await run(`${inside} ${folder}/x && nsenter -t ${pid} -m -- rm ${folder}/x`);
    }
    assert.match(
      (await attempt(`nsenter -t ${pid} -m -- ls /root/secrets.json`)).stderr,
      /denied|No such file/,
    );
    assert.equal(await run('stat -c %a /run/flow-proxy/control.sock'), '600');
  });

  test('Settings edited in the environment file take effect by systemctl reload, and under load nothing is lost', async () => {
    const primary = await primaryPid();
    const { load } = await underLoad(MODELS, RATE, async () => {
      for (let round = 1; round <= 3; round += 1) {
        const before = await workerPids();
        await addSettings(`FLOW_PROXY_KEEP_ALIVE_TIMEOUT=${60 + round}`);
        await run(`systemctl reload ${UNIT}`);
        const now = (await workerPids()).filter((pid) => !before.includes(pid));
        assert.equal(now.length, 2, 'both workers were replaced when systemctl reload returned');
      }
      const before = await workerPids();
      await addSettings('FLOW_PROXY_KEEP_ALIVE_TIMEOUT=70');
      await run(`kill -HUP ${primary}`);
      await eventually('a signal did the same', async () =>
        (await workerPids()).filter((pid) => !before.includes(pid)).length === 2 ? true : undefined,
      );
    });
    assert.ok(load.requestIds.length > 100, `${load.requestIds.length} requests`);
    assert.equal(load.failed, 0);
    assert.equal(await primaryPid(), primary);
  });

  test('A refused reload makes systemctl reload fail, and the service goes on with the same workers', async () => {
    const good = await readFile(ENV_FILE, 'utf8');
    const workers = await workerPids();
    await addSettings('FLOW_PROXY_NUM_WORKERS=plenty');
    const { code, stderr } = await attempt(`systemctl reload ${UNIT}`);
    await writeFile(ENV_FILE, good);
    assert.equal(code, 1, stderr);
    // Some that were replaced before may have ended since.
    const now = await workerPids();
    assert.ok(now.length >= 2 && now.every((pid) => workers.includes(pid)), `${workers} → ${now}`);
    assert.equal((await call(MODELS)).status, 200);
    assert.equal(await property('ActiveState'), 'active');
    await inJournal(/NUM_WORKERS.*plenty/);
    await saysOfItself(/last reload refused/);
    await run(`systemctl reload ${UNIT}`);
  });

  test('logrotate -f under load: every exchange has its line in one of the two files', async () => {
    const { load } = await underLoad(MODELS, RATE, () => run('logrotate -f /etc/logrotate.d/flow-proxy'));
    assert.equal(load.failed, 0);
    assert.ok(load.requestIds.length >= 40, `${load.requestIds.length} requests`);
    await eventually('a line for every exchange', async () => {
      const lines = await run('cat /var/log/flow-proxy/app.log.1 /var/log/flow-proxy/app.log');
      return load.requestIds.every((id) => lines.includes(id)) ? true : undefined;
    });
    assert.equal(await run('stat -c "%U %a" /var/log/flow-proxy/app.log'), 'flow-proxy 640');
  });

  test('A stream goes on to its end while systemd stops the service, however short the unit’s own patience', async () => {
    await dropIn('patience', '[Service]\nTimeoutStopSec=2s\n');
    const content = 'chunks:12 interval:400';
    const body = JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content }] });
    const stream = await openCall(`${URL}/v1/chat/completions`, { method: 'POST', body });
    const stopping = run(`systemctl stop ${UNIT}`);
    const answer = await readAnswer(stream);
    assert.match(answer.text, /data: \[DONE\]/);
    await stopping;
    assert.equal(await property('Result'), 'success');
    await removeDropIn('patience');
  });

  test('Secrets may come by LoadCredential= from a file that the service itself cannot read', async () => {
    await run('mv /etc/flow-proxy/secrets.json /root/kept.json && chown root:root /root/kept.json');
    await dropIn(
      'credential',
      '[Service]\nLoadCredential=secrets.json:/root/kept.json\nEnvironment=FLOW_PROXY_SECRETS_FILE=%d/secrets.json\n',
    );
    await run(`systemctl restart ${UNIT}`);
    assert.equal((await call(MODELS)).status, 200);
    await run(`systemctl reload ${UNIT}`);
    await removeDropIn('credential');
    await run('install -o flow-proxy -g flow-proxy -m 600 /root/kept.json /etc/flow-proxy/secrets.json');
    await run(`systemctl restart ${UNIT}`);
  });

  test('With the socket in the hands of systemd a restart under load loses no request', async () => {
    await install('--socket');
    assert.equal(await run('systemctl is-active flow-proxy.socket'), 'active');
    const verified = await attempt('systemd-analyze verify /etc/systemd/system/flow-proxy.socket');
    assert.equal(verified.stdout + verified.stderr, '');
    const before = await primaryPid();
    const { load } = await underLoad(MODELS, RATE, async () => {
      await run(`systemctl restart ${UNIT}`);
      await call(MODELS);
    });
    assert.equal(load.failed, 0);
    assert.ok(load.requestIds.length >= 40, `${load.requestIds.length} requests`);
    assert.notEqual(await primaryPid(), before);
  });

  test('--tune raises the limits of kernel and sessions', async () => {
    await install('--tune');
    assert.equal(await run('cat /proc/sys/net/core/somaxconn'), '4096');
    assert.equal(await run('cat /proc/sys/net/ipv4/ip_local_port_range'), '10000\t65535');
    // Another figure, as not every machine that this runs on allows so many.
    await run('sed -i s/65536/12345/ /etc/security/limits.d/flow-proxy.conf');
    assert.equal(await run('su -s /bin/sh -c "ulimit -n" flow-proxy'), '12345');
  });

  test('Uninstalling takes all of it away but the configuration, and keeps an edited unit', async () => {
    await appendFile(`/etc/systemd/system/${UNIT}.service`, '# edited\n');
    assert.match(await install(), /kept \S+flow-proxy-plugin\.service, which was edited/);
    const said = await install('--uninstall');
    assert.match(said, /was edited; it is \/etc\/flow-proxy\/removed\/flow-proxy-plugin\.service now/);
    assert.notEqual((await attempt(`systemctl cat ${UNIT}`)).code, 0);
    for (const path of [
      '/opt/flow-proxy-plugin',
      '/usr/local/bin/flow-proxy',
      '/etc/logrotate.d/flow-proxy',
    ]) {
      await assert.rejects(access(path), path);
    }
    for (const path of [ENV_FILE, '/etc/flow-proxy/secrets.json', '/var/log/flow-proxy/app.log'])
      await access(path);
    await install('--uninstall', '--purge');
    await assert.rejects(access('/etc/flow-proxy'));
    assert.notEqual((await attempt('id flow-proxy')).code, 0);
  });
}
