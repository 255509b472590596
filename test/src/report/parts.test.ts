import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { partsOf } from '../../../src/report/parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-parts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the parts of log files', () => {
  it('follow each other without a gap in a large plain file; a gzipped one is a single part', () => {
    const [plain, zipped] = [join(folder, 'plain'), join(folder, 'zipped')];
    writeFileSync(plain, '');
    truncateSync(plain, 40_000_000);
    writeFileSync(zipped, gzipSync('line\n'));
    const { parts, problems, bytes } = partsOf([plain, zipped]);
    const ofPlain = parts.filter(({ file }) => file === plain);
    assert.deepEqual(problems, []);
    assert.ok(ofPlain.length > 1);
    assert.deepEqual([ofPlain[0]?.start, ofPlain.at(-1)?.end], [0, 40_000_000]);
    for (const [index, { start }] of ofPlain.slice(1).entries()) assert.equal(start, ofPlain[index]?.end);
    const last = parts.at(-1);
    assert.deepEqual([last?.isGzipped, last?.start, last?.end], [true, 0, bytes - 40_000_000]);
  });

  it('tell which files cannot be read, and why', () => {
    const { parts, problems } = partsOf([join(folder, 'missing'), folder]);
    assert.deepEqual(parts, []);
    assert.match(problems.join('\n'), /missing: ENOENT.*\n.*: is not a file/);
  });
});
