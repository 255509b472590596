import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
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

  it('waits for nothing and nobody when a path is a device or a pipe, but reads what somebody writes to one', async () => {
    assert.match(JSON.stringify(readText('/dev/zero', 100)), /is larger than 100 bytes/);
    const pipe = join(root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.deepEqual(readText(pipe, 100), { fault: 'is a pipe that nobody writes to', code: undefined });
    const writer = spawn('bash', ['-c', 'exec >"$0"; echo opened >&2; read -r _; printf "late text"', pipe], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    // Until somebody reads it, the writer's own opening waits.
    const descriptor = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    await once(writer.stderr, 'data');
    writer.stdin.end('go\n');
    const file = readText(pipe, 100);
    closeSync(descriptor);
    assert.ok('text' in file);
    assert.equal(file.text, 'late text');
  });

  it('takes comments in any encoding where the rest is ASCII', () => {
    const path = join(root, 'latin1');
    writeFileSync(path, Buffer.from('# é\nPEM', 'latin1'));
    const file = readText(path, 100, 'latin1');
    assert.ok('text' in file);
    assert.match(file.text, /\nPEM$/);
  });

  it('bounds a file that does not tell its size', () => {
    assert.deepEqual(readText('/proc/self/maps', 1), {
      fault: 'is larger than 1 bytes',
      code: 'EFBIG',
    });
  });
});
