import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readText } from '../../../src/config/read-text.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-text-'));
after(() => rmSync(root, { recursive: true, force: true }));

describe('readText', () => {
  it('drops a byte order mark and tells the mode', () => {
    const path = join(root, 'bom');
    writeFileSync(path, '\uFEFFtext', { mode: 0o600 });
    const file = readText(path, 100);
    assert.ok('text' in file);
    assert.equal(file.text, 'text');
    assert.equal(file.mode & 0o777, 0o600);
  });

  it('says what is wrong with a file that cannot be used', () => {
    writeFileSync(join(root, 'utf16'), Buffer.from('\uFEFF[]', 'utf16le'));
    writeFileSync(join(root, 'large'), 'x'.repeat(2049));
    assert.deepEqual(readText(join(root, 'none'), 100), { fault: 'no such file', code: 'ENOENT' });
    assert.deepEqual(readText(root, 100), { fault: 'is a folder, not a file', code: 'EISDIR' });
    assert.match(JSON.stringify(readText(join(root, 'utf16'), 100)), /is not UTF-8 text/);
    assert.match(JSON.stringify(readText(join(root, 'large'), 2048)), /is larger than 2048 bytes/);
    assert.match(JSON.stringify(readText(join(root, 'large', 'x'), 100)), /part of its path is not a folder/);
  });

  it('bounds a file that does not tell its size', () => {
    assert.deepEqual(readText('/proc/self/maps', 1), {
      fault: 'is larger than 1 bytes',
      code: 'EFBIG',
    });
  });
});
