import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeFolder } from '../../../src/host/make-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-folder-'));
after(() => rmSync(root, { recursive: true, force: true }));

describe('makeFolder', () => {
  it('makes all that is missing, with the mode that is asked for, and takes what is there', () => {
    const path = join(root, 'a/b/c');
    makeFolder(path, 0o700);
    makeFolder(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(statSync(join(root, 'a')).mode & 0o777, 0o700);
  });

  it('says why it cannot', () => {
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => makeFolder(join(root, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(root, 'file/below')), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(root, 'x'.repeat(300))), { code: 'ENAMETOOLONG' });
  });

  it('comes to an end where a folder that is there calls itself missing', () => {
    // In a process of its own, as what it must not do is to go on for ever.
    const module = new URL('../../../src/host/make-folder.js', import.meta.url).href;
    const script = `const { makeFolder } = await import('${module}');
      try { makeFolder('/proc/x/y'); } catch ({ code }) { process.stdout.write(code); }`;
    const out = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      timeout: 10_000,
    });
    assert.equal(out.toString(), 'ENOENT');
  });
});
