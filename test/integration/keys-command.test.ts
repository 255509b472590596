// The command line for client keys, as a process.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { KeyRing } from '../../src/clients/client-key.ts';
import { readKeysFile } from '../../src/clients/keys-file.ts';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-keys-'));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'keys.json');

const keys = (...args: readonly string[]): Promise<CommandResult> =>
  runFlowProxy({ args: ['keys', ...args], settings: { CLIENT_KEYS_FILE: file } });
const ownerOf = (key: string): string | undefined =>
  new KeyRing(readKeysFile(file), ({ hash }) => hash).find([key.trim()])?.name;

describe('flow-proxy keys', () => {
  it('adds, lists, rotates and revokes a key, and prints a new key once and alone', async () => {
    const added = await keys('add', 'ci', '--rpm', '60', '--concurrent', '4', '--models', 'gpt-4o*, o3-mini');
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stdout, /^fp_[\w-]{43}\n$/);
    assert.match(added.stderr, /Key "ci" is in .*keys\.json/);
    assert.equal(ownerOf(added.stdout), 'ci');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!readFileSync(file, 'utf8').includes(added.stdout.trim()));

    const listed = await keys('list');
    assert.match(
      listed.stdout,
      /^NAME +PER MINUTE +AT A TIME +MODELS +CREATED +ROTATED\nci +60 +4 +gpt-4o\*,o3-mini +20/,
    );
    const asJson = await keys('list', '--json');
    const [first]: { name: string; models: string[] }[] = JSON.parse(asJson.stdout);
    assert.equal(first?.name, 'ci');
    assert.deepEqual(first?.models, ['gpt-4o*', 'o3-mini']);
    assert.ok(!`${listed.stdout}${asJson.stdout}`.includes('sha256'));

    const rotated = await keys('rotate', 'ci');
    assert.equal(ownerOf(rotated.stdout), 'ci');
    assert.equal(ownerOf(added.stdout), undefined);

    const revoked = await keys('revoke', 'ci');
    assert.equal(revoked.code, 0);
    assert.equal(ownerOf(rotated.stdout), undefined);
  });

  it('says what is wrong and changes nothing', async () => {
    await keys('add', 'one');
    const before = readFileSync(file, 'utf8');
    const complaints: [args: readonly string[], code: number, complaint: RegExp][] = [
      [['add', 'one'], 1, /there is a key "one" already/],
      [['add', 'no good'], 64, /'no good' is invalid for argument 'NAME'\. Take up to 64 letters/],
      [
        ['add', 'two', '--rpm', '0'],
        64,
        /'--rpm <number>' argument '0' is invalid\. Expected a whole number/,
      ],
      [['add', 'two', '--rpm', '-3'], 64, /'-3' is invalid/],
      [['add', 'two', '--concurrent', 'x'], 64, /'--concurrent <number>' argument 'x' is invalid/],
      [['add', 'two', '--models', 'a,,b'], 64, /'--models <list>' argument 'a,,b' is invalid/],
      [['rotate', 'two'], 1, /there is no key "two"; there are: .*one/],
      [['revoke', 'two'], 1, /there is no key "two"/],
      [['add'], 64, /missing required argument/],
      [['list', '--colour'], 64, /unknown option/],
    ];
    for (const [args, code, complaint] of complaints) {
      const result = await keys(...args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
      assert.match(result.stderr, complaint);
      assert.equal(result.stdout, '');
    }
    assert.equal(readFileSync(file, 'utf8'), before);
  });

  it('wants to know which file, and takes it from a flag as well', async () => {
    const unset = await runFlowProxy({ args: ['keys', 'list'] });
    assert.equal(unset.code, 78);
    assert.match(unset.stderr, /set FLOW_PROXY_CLIENT_KEYS_FILE, or give --client-keys-file/);
    const given = await runFlowProxy({ args: ['keys', 'list', '--client-keys-file', file] });
    assert.equal(given.code, 0, given.stderr);
  });
});

describe('flow-proxy check', () => {
  const credentials = [{ clientId: 'canary-id', clientSecret: 'canary-secret', tenant: 'canary-tenant' }];

  it('says who may come in', async () => {
    const nearby = await runFlowProxy({ args: ['check'], credentials });
    assert.match(nearby.stdout, /clients: +every client from loopback and private networks, without a key/);
    assert.match(nearby.stdout, /tls: +none, plain HTTP/);
    const settings = { CLIENT_KEYS_FILE: file, ALLOWED_CLIENTS: '10.0.0.0/8' };
    const keyed = await runFlowProxy({ args: ['check'], credentials, settings });
    assert.match(keyed.stdout, /clients: +clients with one of 1 client keys, from 10\.0\.0\.0\/8/);
  });

  it('refuses a broken file of client keys and a list of clients that is none', async () => {
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"keys":[{"name":"a"}]}');
    const first = await runFlowProxy({
      args: ['check'],
      credentials,
      settings: { CLIENT_KEYS_FILE: broken },
    });
    assert.equal(first.code, 78);
    assert.match(first.stderr, /broken\.json: key 1 \("a"\): hash must be/);
    const second = await runFlowProxy({
      args: ['check'],
      credentials,
      settings: { ALLOWED_CLIENTS: '10.0.0/8' },
    });
    assert.equal(second.code, 78);
    assert.match(
      second.stderr,
      /FLOW_PROXY_ALLOWED_CLIENTS: "10\.0\.0\/8" is not accepted, expected addresses/,
    );
  });
});
