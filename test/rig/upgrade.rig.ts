// ops/upgrade.sh and ops/rollback.sh under a real systemd and under load, and backups sealed by age.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, relative } from 'node:path';
import { after, before, test } from 'node:test';
import type { SimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import { call } from '../harness/http-call.ts';
import { bundleWith } from '../harness/installation.ts';
import { root } from '../harness/root.ts';
import { isInside, runBooted } from './booted.ts';
import { addSettings, install, prepareUpstream, primaryPid, property, SECRETS, URL } from './installed.ts';
import { attempt, run } from './shell.ts';
import { underLoad } from './under-load.ts';

const MODELS = `${URL}/v1/models`;
const RATE = 40;
const CURRENT = '/opt/flow-proxy-plugin/current';
const UPGRADE = root('ops/upgrade.sh');

/** A copy of the installed version under another number, with one file changed by the callback. */
async function makeVersion(version: string, file: string, change: (text: string) => string): Promise<string> {
  const folder = `/root/flow-proxy-${version}`;
  // Links, of which the two files that change are made copies.
  await run(`cp -R --link ${CURRENT}/. ${folder}`);
  await run(`sed -i 's/"version": "[^"]*"/"version": "${version}"/' ${folder}/package.json`);
  const text = await readFile(`${folder}/${file}`, 'utf8');
  await rm(`${folder}/${file}`);
  const changed = change(text);
  assert.notEqual(changed, text, `${file} is not what this test takes it for`);
  await writeFile(`${folder}/${file}`, changed);
  return folder;
}

/** A copy of the installed version under another number, with one text of its code changed. */
function editVersion(version: string, from: string, to: string): Promise<string> {
  const file = relative(CURRENT, bundleWith(CURRENT, from));
  return makeVersion(version, file, (text) => text.replace(from, () => to));
}

/** @returns the URL at which a web server offers the file */
async function publish(file: string): Promise<string> {
  const server = createServer(async (_request, response) => response.end(await readFile(file)));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/${basename(file)}`;
}

async function servedVersion(): Promise<string> {
  return JSON.parse((await call(`${URL}/health`)).text).version;
}

/** Upgrades to a version while requests go on. */
async function upgradeUnderLoad(
  options: string,
): Promise<{ code: number; said: string; failed: number; sent: number }> {
  const { result, load } = await underLoad(MODELS, RATE, () => attempt(`${UPGRADE} ${options}`));
  const said = `${result.stdout}\n${result.stderr}`;
  return { code: result.code, said, failed: load.failed, sent: load.requestIds.length };
}

if (!isInside) {
  test('Upgrade and rollback under a real systemd', { timeout: 600_000 }, () => runBooted(import.meta.url));
} else {
  let upstream: SimulatedUpstream;

  before(async () => {
    upstream = await prepareUpstream();
    await install('--no-start');
    await addSettings(
      `FLOW_PROXY_TARGET_URL=${upstream.url}`,
      'FLOW_PROXY_UPSTREAM_PROXY=none',
      'FLOW_PROXY_NUM_WORKERS=2',
    );
    await install('--secrets', SECRETS);
  });
  after(() => upstream.close());

  test('An upgrade from a package that is fetched loses no request, and saves the configuration before', async () => {
    const primary = await primaryPid();
    const folder = await makeVersion('9.1.0', 'README.md', (text) => `${text}\nNew.\n`);
    await run(
      `tar --create --gzip --file /root/flow-proxy-9.1.0.tgz --directory /root --transform 's/^flow-proxy-9.1.0/package/' ${folder.slice('/root/'.length)}`,
    );
    const { code, said, failed, sent } = await upgradeUnderLoad(await publish('/root/flow-proxy-9.1.0.tgz'));
    assert.equal(code, 0, said);
    assert.equal(await servedVersion(), '9.1.0');
    assert.ok(sent >= 40, `${sent} requests`);
    assert.equal(failed, 0);
    assert.equal(await primaryPid(), primary);
    const saved = /configuration saved: (\S+)/.exec(said)?.[1] ?? '';
    assert.match(await run(`tar --list --file ${saved}`), /etc\/flow-proxy\/secrets\.json/);
    assert.equal(await run(`stat -c %a ${saved}`), '600');
  });

  test('An upgrade from a git URL builds the version of that tag', async () => {
    // Packages come from npm's cache, which the install of this checkout has filled: there is no network in here.
    const leftOut = ['node_modules', 'dist', '.git'].map((name) => `--exclude=./${name}`).join(' ');
    await run(`mkdir /root/source && tar --create ${leftOut} --directory ${root('.')} . | tar --extract --directory /root/source
      cd /root/source && sed -i 's/"version": "[^"]*"/"version": "9.1.1"/' package.json && git init --quiet --initial-branch main
      git add --all && git -c user.name=rig -c user.email=rig@example.com commit --quiet --message 9.1.1 && git tag v9.1.1
      git rm --quiet -r src && git -c user.name=rig -c user.email=rig@example.com commit --quiet --message 'Broken after the tag'
      git clone --quiet --bare . /root/source.git`);
    const { code, stdout, stderr } = await attempt(
      `npm_config_offline=true ${UPGRADE} file:///root/source.git#v9.1.1`,
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.equal(await servedVersion(), '9.1.1');
  });

  test('A new version whose workers do not start is rolled back by itself, and no request fails', async () => {
    const folder = await makeVersion(
      '9.2.0',
      'dist/workers/proxy-worker.js',
      (text) => `throw new Error('broken');\n${text}`,
    );
    const { code, said, failed } = await upgradeUnderLoad(folder);
    assert.equal(code, 1, said);
    assert.match(said, /rolled back, the old version serves again/);
    assert.equal(await servedVersion(), '9.1.1');
    assert.equal(failed, 0);
    assert.match(await run(`readlink ${CURRENT}`), /9\.1\.1/);
  });

  test('A new version that starts and cannot answer is rolled back by itself', async () => {
    const folder = await editVersion(
      '9.3.0',
      'basePath: url.pathname',
      "basePath: '/nowhere' + url.pathname",
    );
    const { code, stdout, stderr } = await attempt(`${UPGRADE} ${folder}`);
    assert.equal(code, 1, stdout + stderr);
    assert.match(stderr, /rolled back/);
    assert.equal(await servedVersion(), '9.1.1');
    assert.equal((await call(MODELS)).status, 200);
  });

  test('A new version that refuses the configuration changes nothing', async () => {
    const check = 'function check(commandLine) {';
    const folder = await editVersion('9.4.0', check, `${check} throw new Error('I refuse');`);
    const { code, stderr } = await attempt(`${UPGRADE} ${folder}`);
    assert.equal(code, 1);
    assert.match(stderr, /nothing was changed/);
    assert.match(await run(`readlink ${CURRENT}`), /9\.1\.1/);
  });

  test('rollback.sh goes back to the version before, and forth again', async () => {
    await run(root('ops/rollback.sh'));
    assert.notEqual(await servedVersion(), '9.1.1');
    await run(root('ops/rollback.sh'));
    assert.equal(await servedVersion(), '9.1.1');
    assert.match(await run(`${root('ops/rollback.sh')} --list`), /\* 9\.1\.1/);
  });

  test('A version that cannot take over from the old primary is restarted; with the socket in the hands of systemd no request is lost', async () => {
    await install('--socket');
    const primary = await primaryPid();
    const folder = await editVersion('9.5.0', 'const PROTOCOL = ', 'const PROTOCOL = 999');
    const { code, said, failed, sent } = await upgradeUnderLoad(folder);
    assert.match(said, /cannot take over worker by worker: restarting/);
    assert.equal(code, 0, said);
    assert.equal(await servedVersion(), '9.5.0');
    assert.notEqual(await primaryPid(), primary);
    assert.equal(failed, 0, `${failed} of ${sent}`);
    assert.equal(await property('NRestarts'), '0');
  });

  test('A backup for an age recipient is opened by its identity alone', async () => {
    await run('age-keygen -o /root/identity 2> /root/recipient');
    const recipient = /age1\w+/.exec(await run('cat /root/recipient'))?.[0] ?? '';
    const path = await run(`cd / && flow-proxy backup --age ${recipient} 2>/dev/null`);
    assert.match(path, /\.tar\.gz\.age$/);
    const without = await attempt(`flow-proxy restore ${path} --root /root/restored`);
    assert.match(without.stderr, /give --identity/);
    await run(`flow-proxy restore ${path} --root /root/restored --identity /root/identity`);
    for (const file of ['/etc/flow-proxy/secrets.json', '/etc/flow-proxy/flow-proxy.env']) {
      await run(`cmp ${file} /root/restored${file}`);
      assert.equal(
        await run(`stat -c '%a %U %G' /root/restored${file}`),
        await run(`stat -c '%a %U %G' ${file}`),
      );
    }
    await run('test -f /root/restored/etc/systemd/system/flow-proxy-plugin.service');
  });
}
