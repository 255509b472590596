// The command line: what it prints and how it exits.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runFlowProxy } from '../harness/command.ts';
import { MAIN } from '../harness/flow-process.ts';
import { root } from '../harness/root.ts';
import { startStack } from '../harness/stack.ts';

const CREDENTIALS = [{ name: 'one', clientId: 'id-1', clientSecret: 'canary-of-the-cli', tenant: 't' }];

test('without secrets.json it says how to make one and exits 78', async () => {
  const { code, stderr } = await runFlowProxy({});
  assert.equal(code, 78);
  assert.match(stderr, /cp secrets\.json\.template secrets\.json/);
});

test('every mistake in the settings is listed at once, with exit 78', async () => {
  const settings = { PORT: 'eighty', LOG_LEVEL: 'LOUD', NUM_WORKERS: '0', TARGET_URL: 'ftp://x' };
  for (const args of [[], ['check'], ['config']]) {
    const { code, stderr } = await runFlowProxy({ credentials: CREDENTIALS, settings, args });
    assert.equal(code, 78, args.join());
    for (const [name, value] of Object.entries(settings)) {
      assert.match(stderr, new RegExp(`FLOW_PROXY_${name}.*"${value}"`));
    }
  }
});

test('a misspelt variable is told by its nearest real name, and one of the predecessor by its being of no use, also beside mistakes', async () => {
  const settings = { PROT: '1', THREADED: '1', PLUGIN_POOL_SIZE: '3', LOG_CLEANUP_ENABLED: 'true' };
  for (const [mistake, expected] of [
    [{}, 0],
    [{ PORT: 'eighty' }, 78],
  ] as const) {
    const options = { credentials: CREDENTIALS, settings: { ...settings, ...mistake }, args: ['check'] };
    const { code, stderr } = await runFlowProxy(options);
    assert.equal(code, expected);
    assert.match(stderr, /^warning: .*FLOW_PROXY_PROT.*FLOW_PROXY_PORT/m);
    for (const name of ['THREADED', 'PLUGIN_POOL_SIZE', 'LOG_CLEANUP_ENABLED']) {
      assert.equal(stderr.match(new RegExp(`^warning: .*FLOW_PROXY_${name}`, 'gm'))?.length, 1, name);
    }
  }
});

test('check refuses a log that cannot be written', async () => {
  const options = { credentials: CREDENTIALS, settings: { LOG_FILE: '/dev/null/app.log' }, args: ['check'] };
  const { code, stderr } = await runFlowProxy(options);
  assert.equal(code, 78);
  assert.match(stderr, /\/dev\/null\/app\.log cannot be written/);
});

test('paths that can never be used are refused by a start or a check at once, with the setting and exit 78', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-paths-'));
  t.after(() => rm(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  const hopeless: readonly (readonly [settings: Record<string, string>, told: RegExp, args?: string[]])[] = [
    [{ LOG_DIR: '/proc/x/y' }, /\/proc\/x\/y\/app\.log.* cannot be written/],
    [{ LOG_FILE: pipe }, /pipe.* cannot be written.*a pipe that nobody reads/],
    [{ LOG_FILE: '/dev/stdout' }, /\/dev\/stdout.* cannot be written.*a socket; with no log file set/],
    [{ LOG_FILE: 'x'.repeat(300) }, /cannot be written.*ENAMETOOLONG/, ['check']],
    [{ UPSTREAM_CA_FILE: '/dev/zero' }, /FLOW_PROXY_UPSTREAM_CA_FILE "\/dev\/zero": is larger than/],
    [{ CONTROL_SOCKET: '/dev/null/x' }, /FLOW_PROXY_CONTROL_SOCKET\) cannot be made: /],
    [{ CONTROL_SOCKET: '/dev/null/x' }, /FLOW_PROXY_CONTROL_SOCKET\) cannot be made: /, ['check']],
  ];
  const run = async ([settings, told, args = []]: (typeof hopeless)[number]): Promise<void> => {
    const { code, stderr } = await runFlowProxy({
      credentials: CREDENTIALS,
      settings: { PORT: 0, ...settings },
      args,
    });
    assert.equal(code, 78, JSON.stringify(settings));
    assert.match(stderr, told);
  };
  await Promise.all(hopeless.map(run));
});

test('check says what is used and exits 0', async () => {
  const { code, stdout } = await runFlowProxy({ credentials: CREDENTIALS, args: ['check'] });
  assert.equal(code, 0);
  assert.match(stdout, /credentials: 1 in .*secrets\.json: one\n/);
  assert.match(stdout, /usable/);
  assert.doesNotMatch(stdout, /canary/);
});

test('config prints every setting with its source, passwords redacted', async () => {
  const settings = { PORT: 9001, UPSTREAM_PROXY: 'http://me:hunter2@proxy:3128' };
  const args = ['config', '--log-level', 'debug'];
  const { code, stdout } = await runFlowProxy({ credentials: CREDENTIALS, settings, args });
  assert.equal(code, 0);
  assert.match(stdout, /FLOW_PROXY_PORT +9001 +environment/);
  assert.match(stdout, /FLOW_PROXY_LOG_LEVEL +DEBUG +flag/);
  assert.match(stdout, /FLOW_PROXY_HOST +127\.0\.0\.1 +default/);
  assert.match(stdout, /FLOW_PROXY_LOG_ROTATION +auto +default/, 'a word that it accepts');
  assert.doesNotMatch(stdout, /hunter2/);
});

test('--help and --version exit 0, an unknown flag 64', async () => {
  const help = await runFlowProxy({ args: ['--help'] });
  assert.equal(help.code, 0);
  for (const word of ['check', 'config', '--port', 'FLOW_PROXY_DRAIN_TIMEOUT'])
    assert.ok(help.stdout.includes(word), word);
  const version = await runFlowProxy({ args: ['--version'] });
  assert.equal(version.stdout.trim(), JSON.parse(readFileSync(root('package.json'), 'utf8')).version);
  assert.equal((await runFlowProxy({ args: ['--prot', '1'] })).code, 64);
});

test('a missing secrets file is named first, also where the fix names it again', async () => {
  const { code, stderr } = await runFlowProxy({ args: ['check', '--secrets-file', '/nowhere/secrets.json'] });
  assert.equal(code, 78);
  assert.match(stderr, /^ {2}- \/nowhere\/secrets\.json: no such file; make one with `cp \S+ \/nowhere/m);
});

test('an env file that is missing is told by flow-proxy and not by node, however it is started', async () => {
  const missing = 'env file /nowhere.env: no such file';
  const start = readFileSync(root('package.json'), 'utf8').match(/"start": "exec (node -- )\S+"/)?.[1];
  for (const [command, ...args] of [[MAIN], [`${start}${MAIN}`, 'check']]) {
    for (const option of ['--env-file=/nowhere.env', '--env-file /nowhere.env']) {
      const line = [command, ...args, option].join(' ');
      await assert.rejects(
        promisify(execFile)('sh', ['-c', line]),
        (cause: { code: number; stderr: string }) => {
          assert.equal(cause.code, 78, line);
          assert.ok(cause.stderr.includes(missing), cause.stderr);
          return true;
        },
      );
    }
  }
});

test('a misspelt command exits 64 and is told by the nearest real one', async () => {
  const { code, stderr } = await runFlowProxy({ args: ['stauts'] });
  assert.equal(code, 64);
  assert.match(stderr, /unknown command 'stauts'.*status/);
});

test('a port that is taken is named, with the setting to change', async (t) => {
  const { proxy, credentials } = await startStack({}, t);
  const { code, stderr } = await runFlowProxy({ credentials, settings: { PORT: proxy.port } });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`port ${proxy.port} .*in use.*FLOW_PROXY_PORT`));
});
