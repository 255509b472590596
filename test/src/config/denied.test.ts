import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { explainDenied } from '../../../src/config/denied.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-denied-'));
after(() => rmSync(root, { recursive: true, force: true }));

describe('explainDenied', () => {
  const user = process.getuid?.();

  it('names owner, mode and our own user, and what to do about a file of ours', () => {
    const file = join(root, 'closed');
    writeFileSync(file, '');
    chmodSync(file, 0o000);
    assert.equal(
      explainDenied(file),
      ` (${file} belongs to uid ${user}, mode 0000, and this process is uid ${user}: \`chmod u+rwX ${file}\`)`,
    );
  });

  it('tells of the nearest folder there is when the file is not', () => {
    const missing = join(root, 'none', 'app.log');
    assert.match(explainDenied(missing), new RegExp(`^ \\(${root} belongs to uid ${user}, `));
  });

  it('has a missing folder made, not the one above it handed over', { skip: user !== 0 }, () => {
    const others = join(root, 'others');
    mkdirSync(others);
    chownSync(others, 1, 1);
    const missing = join(others, 'logs');
    assert.match(explainDenied(missing), new RegExp(`: \`install -d -o 0 ${missing}\`\\)$`));
    assert.match(explainDenied(others), new RegExp(`: \`chown 0 ${others}\`\\)$`));
  });
});
