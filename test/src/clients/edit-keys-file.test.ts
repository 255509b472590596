import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { addKey, revokeKey, rotateKey } from '../../../src/clients/change-keys.ts';
import { KeyRing } from '../../../src/clients/client-key.ts';
import { editKeysFile } from '../../../src/clients/edit-keys-file.ts';
import { readKeysFile } from '../../../src/clients/keys-file.ts';

const NO_LIMITS = { requestsPerMinute: null, concurrent: null, models: null };

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const add = (path: string, name: string): Promise<string> =>
  editKeysFile(path, (entries) => addKey(entries, name, NO_LIMITS, new Date(0)));
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('the file of client keys', () => {
  it('is made with mode 0600 and nothing is left beside it', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    const key = await add(path, 'ci');
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(readdirSync(join(path, '..')), ['keys.json']);
    assert.ok(!readFileSync(path, 'utf8').includes(key));
    assert.equal(new KeyRing(readKeysFile(path), ({ hash }) => hash).find([key])?.name, 'ci');
  });

  it('keeps what its group may read, and is closed to others', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    await add(path, 'one');
    for (const [before, after] of [
      [0o600, 0o600],
      [0o640, 0o640],
      [0o664, 0o640],
      [0o400, 0o600],
    ] as const) {
      chmodSync(path, before);
      await add(path, `with-${before}`);
      assert.equal(modeOf(path), after);
    }
  });

  it('is replaced, not rewritten: a reader has the old one or the new one whole', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    await add(path, 'one');
    const before = statSync(path).ino;
    await add(path, 'two');
    assert.notEqual(statSync(path).ino, before);
  });

  it('stays where it is when it is reached by a symbolic link', async (t) => {
    const folder = folderFor(t);
    const [real, link] = [join(folder, 'real.json'), join(folder, 'link.json')];
    await add(real, 'one');
    symlinkSync(real, link);
    await add(link, 'two');
    assert.equal(readKeysFile(real).length, 2);
    assert.equal(statSync(link).ino, statSync(real).ino);
  });

  it('loses no key when many change it at once', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    const names = Array.from({ length: 20 }, (_, index) => `client-${index}`);
    await Promise.all(names.map((name) => add(path, name)));
    assert.deepEqual(
      readKeysFile(path)
        .map(({ name }) => name)
        .sort(),
      names.sort(),
    );
  });

  it('is left alone while another command is changing it, which is said', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    writeFileSync(`${path}.lock`, '');
    const edit = editKeysFile(path, (entries) => addKey(entries, 'ci', NO_LIMITS, new Date()), 50);
    await assert.rejects(edit, /another command is changing the file; if none is, delete .*keys\.json\.lock/);
    assert.deepEqual(readdirSync(join(path, '..')), ['keys.json.lock']);
  });

  it('is left as it was when it is broken, or when there is nothing to change', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    writeFileSync(path, '{"keys": [7]}');
    await assert.rejects(add(path, 'ci'), /key 1: must be an object/);
    assert.equal(readFileSync(path, 'utf8'), '{"keys": [7]}');
    await assert.rejects(
      editKeysFile(join(path, '..', 'none.json'), (entries) => revokeKey(entries, 'ci')),
      /there is no key "ci"; there are: none/,
    );
    assert.deepEqual(readdirSync(join(path, '..')), ['keys.json']);
  });

  it('cannot be made in a folder that is not there', async (t) => {
    await assert.rejects(add(join(folderFor(t), 'sub', 'keys.json'), 'ci'), /sub: no such folder/);
  });
});

describe('a rotated key', () => {
  it('is another one with the same name and limits', async (t) => {
    const path = join(folderFor(t), 'keys.json');
    const limits = { requestsPerMinute: 5, concurrent: 2, models: ['gpt-*'] };
    const old = await editKeysFile(path, (entries) => addKey(entries, 'ci', limits, new Date(0)));
    const next = await editKeysFile(path, (entries) => rotateKey(entries, 'ci', new Date(60_000)));
    const entries = readKeysFile(path);
    const ring = new KeyRing(entries, ({ hash }) => hash);
    assert.equal(ring.find([old]), undefined);
    const found = ring.find([next]);
    assert.deepEqual(
      { ...found, hash: '' },
      {
        name: 'ci',
        hash: '',
        createdAt: '1970-01-01T00:00:00.000Z',
        rotatedAt: '1970-01-01T00:01:00.000Z',
        ...limits,
      },
    );
  });
});
