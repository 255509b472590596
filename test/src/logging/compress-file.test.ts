import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { compressFile } from '../../../src/logging/compress-file.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-compress-'));
after(() => rmSync(root, { recursive: true, force: true }));

const CHANGED = new Date('2026-11-20T10:00:00.123Z');

function plainFile(text: string): string {
  const path = join(mkdtempSync(join(root, 'logs-')), 'app.2026-11-20.1.log');
  writeFileSync(path, text, { mode: 0o640 });
  utimesSync(path, CHANGED, CHANGED);
  return path;
}

const unzipped = (path: string): string => gunzipSync(readFileSync(`${path}.gz`)).toString();

describe('compressing a rolled file', () => {
  it('leaves the compressed one alone in its place, with the same mode and time of change', async () => {
    const text = '{"msg":"line"}\n'.repeat(50_000);
    const path = plainFile(text);
    await compressFile(path);
    assert.deepEqual(readdirSync(join(path, '..')), ['app.2026-11-20.1.log.gz']);
    assert.equal(unzipped(path), text);
    const { mode, mtime, size } = statSync(`${path}.gz`);
    assert.equal(mode & 0o777, 0o640);
    assert.equal(mtime.getTime(), CHANGED.getTime());
    assert.ok(size < text.length / 10);
  });

  it('starts anew over what a crash left half done', async () => {
    const path = plainFile('one\n');
    writeFileSync(`${path}.gz.tmp`, 'half of a gzip file');
    await compressFile(path);
    assert.equal(unzipped(path), 'one\n');
    assert.equal(existsSync(`${path}.gz.tmp`), false);
  });

  it('finishes what a crash left between the rename and the deletion, without repeating a line', async () => {
    const path = plainFile('one\n');
    writeFileSync(`${path}.gz`, gzipSync('one\n'));
    utimesSync(`${path}.gz`, CHANGED, CHANGED);
    await compressFile(path);
    assert.equal(unzipped(path), 'one\n');
    assert.equal(existsSync(path), false);
  });

  it('never overwrites an older file of the same name: the new lines follow its own', async () => {
    const path = plainFile('new\n');
    writeFileSync(`${path}.gz`, gzipSync('old\n'));
    await compressFile(path);
    assert.equal(unzipped(path), 'old\nnew\n');
  });

  it('leaves a file alone that is not there', async () => {
    const path = plainFile('');
    rmSync(path);
    await assert.rejects(compressFile(path), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });
});
