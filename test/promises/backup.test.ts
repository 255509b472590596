// `flow-proxy backup` and `flow-proxy restore`, as an operator runs them. Encryption by age is in test/rig.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';

const CANARY = 'a-secret-that-nobody-may-read';

/** An installation with secrets, client keys and an environment file of its own, and a folder for backups. */
class Installation {
  readonly folder: string;
  readonly envFile: string;
  readonly backups: string;

  constructor(folder: string) {
    this.folder = folder;
    this.envFile = join(folder, 'etc/flow-proxy.env');
    this.backups = join(folder, 'backups');
  }

  file(name: string): string {
    return join(this.folder, 'etc', name);
  }

  backup(...options: readonly string[]): Promise<CommandResult> {
    return runFlowProxy({ args: ['backup', '--env-file', this.envFile, '--to', this.backups, ...options] });
  }
}

async function makeInstallation(t: TestContext): Promise<Installation> {
  const made = new Installation(await mkdtemp(join(tmpdir(), 'flow-proxy-backup-')));
  t.after(() => rm(made.folder, { recursive: true }));
  await mkdir(made.file(''), { mode: 0o750 });
  await mkdir(made.backups);
  await writeFile(made.file('secrets.json'), `[{"clientSecret":"${CANARY}"}]`, { mode: 0o600 });
  await writeFile(made.file('client-keys.json'), '{}', { mode: 0o640 });
  const settings = [
    `FLOW_PROXY_SECRETS_FILE=${made.file('secrets.json')}`,
    `FLOW_PROXY_CLIENT_KEYS_FILE=${made.file('client-keys.json')}`,
  ];
  await writeFile(made.envFile, settings.join('\n'), { mode: 0o640 });
  return made;
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

test('A backup is one timestamped file for its owner alone, and restores contents and modes', async (t) => {
  const made = await makeInstallation(t);
  const { code, stdout } = await made.backup();
  const path = stdout.trim();
  assert.equal(code, 0);
  assert.match(basename(path), /^flow-proxy-\d{8}T\d{6}Z\.tar\.gz$/);
  assert.equal(await modeOf(path), 0o600);

  const elsewhere = join(made.folder, 'elsewhere');
  const restored = await runFlowProxy({ args: ['restore', path, '--root', elsewhere] });
  assert.equal(restored.code, 0, restored.stderr);
  for (const [name, mode] of [
    ['secrets.json', 0o600],
    ['client-keys.json', 0o640],
    ['flow-proxy.env', 0o640],
  ] as const) {
    const copy = join(elsewhere, made.file(name));
    assert.deepEqual(await readFile(copy), await readFile(made.file(name)), name);
    assert.equal(await modeOf(copy), mode, name);
  }
  assert.equal(await modeOf(join(elsewhere, made.file(''))), 0o750);
});

test('Two backups within one second have two names, and nothing else is left in the folder', async (t) => {
  const made = await makeInstallation(t);
  const both = await Promise.all([made.backup(), made.backup()]);
  const names = both.map(({ stdout }) => basename(stdout.trim())).sort();
  assert.equal(new Set(names).size, 2);
  assert.deepEqual((await readdir(made.backups)).sort(), names);
});

test('A restore never writes over a file that differs, and then changes nothing at all', async (t) => {
  const made = await makeInstallation(t);
  const path = (await made.backup()).stdout.trim();
  await writeFile(made.file('client-keys.json'), '{"edited":true}');
  await rm(made.file('secrets.json'));
  const { code, stderr } = await runFlowProxy({ args: ['restore', path] });
  assert.equal(code, 1);
  assert.match(stderr, /nothing was restored.*\n.*client-keys\.json/);
  assert.equal(await readFile(made.file('client-keys.json'), 'utf8'), '{"edited":true}');
  await assert.rejects(stat(made.file('secrets.json')));
});

test('With --aside what differs gets another name, and what is the same stays', async (t) => {
  const made = await makeInstallation(t);
  const path = (await made.backup()).stdout.trim();
  await writeFile(made.file('client-keys.json'), '{"edited":true}');
  const { code, stdout } = await runFlowProxy({ args: ['restore', path, '--aside'] });
  assert.equal(code, 0);
  assert.match(stdout, /was there {3}\S+secrets\.json/);
  const aside = /moved aside (\S+)/.exec(stdout)?.[1] ?? '';
  assert.equal(await readFile(aside, 'utf8'), '{"edited":true}');
  assert.equal(await readFile(made.file('client-keys.json'), 'utf8'), '{}');
});

test('With a passphrase nothing of it can be read, and only the same passphrase opens it', async (t) => {
  const made = await makeInstallation(t);
  const [right, wrong] = [made.file('passphrase'), made.file('other')];
  await writeFile(right, 'correct horse\n');
  await writeFile(wrong, 'battery staple\n');
  const path = (await made.backup('--passphrase-file', right)).stdout.trim();
  assert.match(path, /\.tar\.gz\.enc$/);
  assert.equal((await readFile(path)).subarray(0, 8).toString(), 'Salted__');
  const root = join(made.folder, 'elsewhere');
  const without = await runFlowProxy({ args: ['restore', path, '--root', root] });
  assert.match(without.stderr, /give --passphrase-file/);
  const refused = await runFlowProxy({ args: ['restore', path, '--root', root, '--passphrase-file', wrong] });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cannot be unpacked/);
  await assert.rejects(stat(join(root, made.file('secrets.json'))));
  await runFlowProxy({ args: ['restore', path, '--root', root, '--passphrase-file', right] });
  assert.match(await readFile(join(root, made.file('secrets.json')), 'utf8'), new RegExp(CANARY));
});

test('What cannot be done is one clear message and exit code 1', async (t) => {
  const made = await makeInstallation(t);
  await writeFile(made.file('notes.txt'), 'no backup');
  const cases: [readonly string[], RegExp][] = [
    [['restore', made.file('notes.txt')], /notes\.txt: it is no backup of flow-proxy/],
    [['restore', made.file('nothing')], /nothing cannot be read/],
    [['backup', '--to', made.file('nowhere'), '--env-file', made.envFile], /nowhere is no folder/],
    [['backup', '--age', 'x', '--passphrase-file', 'y', '--env-file', made.envFile], /only one of them/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await runFlowProxy({ args });
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

test('A file that settings name and that is missing is told of, and the others are saved', async (t) => {
  const made = await makeInstallation(t);
  await rm(made.file('client-keys.json'));
  const { code, stderr } = await made.backup();
  assert.equal(code, 0);
  assert.match(stderr, /warning: \S+client-keys\.json is not there/);
});
