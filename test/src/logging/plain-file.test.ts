import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { PlainFile } from '../../../src/logging/plain-file.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-plain-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** A file of its own folder, with one line in it. */
async function startedFile(): Promise<{ path: string; file: PlainFile }> {
  const path = join(mkdtempSync(join(root, 'logs-')), 'sub', 'app.log');
  const file = new PlainFile(path);
  await file.write('one\n');
  return { path, file };
}

const read = (path: string): string => readFileSync(path, 'utf8');

describe('the plain log file', () => {
  it('is appended to, in a folder that is made when missing, readable by its group and no one else', async () => {
    const { path } = await startedFile();
    await new PlainFile(path).write('two\n');
    assert.equal(read(path), 'one\ntwo\n');
    assert.equal(statSync(path).mode & 0o777 & ~0o640, 0);
  });

  it('goes on in the file that was moved away until it is reopened, and makes none in its place', async () => {
    const { path, file } = await startedFile();
    renameSync(path, `${path}.1`);
    await file.write('two\n');
    assert.equal(existsSync(path), false);
    await file.reopen();
    await file.write('three\n');
    assert.deepEqual([read(`${path}.1`), read(path)], ['one\ntwo\n', 'three\n']);
  });

  it('goes over to a file that was put in its place, before the next line and without being told', async () => {
    const { path, file } = await startedFile();
    renameSync(path, `${path}.1`);
    writeFileSync(path, '');
    await file.write('two\n');
    assert.deepEqual([read(`${path}.1`), read(path)], ['one\n', 'two\n']);
  });

  it('is made anew when it, or its folder, was deleted', async () => {
    const { path, file } = await startedFile();
    rmSync(path);
    await file.write('two\n');
    assert.equal(read(path), 'two\n');
    rmSync(join(path, '..'), { recursive: true });
    await file.write('three\n');
    assert.equal(read(path), 'three\n');
  });

  it('keeps the lines when a deleted file cannot be made anew, and writes them when it can', async () => {
    const { path, file } = await startedFile();
    const folder = join(path, '..');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder');
    await assert.rejects(file.write('two\n'), { code: 'EEXIST' });
    await assert.rejects(file.reopen(), { code: 'EEXIST' });
    rmSync(folder);
    await file.retry();
    assert.equal(read(path), 'two\n');
  });

  it('stays with the moved file when a new one cannot be opened', async () => {
    const { path, file } = await startedFile();
    renameSync(path, `${path}.1`);
    mkdirSync(path);
    await file.write('two\n');
    await assert.rejects(file.reopen(), { code: 'EISDIR' });
    await file.write('three\n');
    assert.equal(read(`${path}.1`), 'one\ntwo\nthree\n');
  });
});
