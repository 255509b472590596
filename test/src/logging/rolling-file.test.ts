import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openRollingFile, type RollingFile } from '../../../src/logging/rolling-file.ts';

const root = mkdtempSync(join(tmpdir(), 'flow-proxy-rolling-'));
after(() => rmSync(root, { recursive: true, force: true }));

async function openIn(folder: string, rollBytes: number) {
  const rolls = new EventEmitter();
  const file = await openRollingFile(join(folder, 'app.log'), rollBytes);
  file.onRolled(() => rolls.emit('rolled'));
  return { file, rolls };
}

/** Contents by the end of the name. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

const nameOf = (file: RollingFile): string => String(file.active[0]?.split('/').at(-1));

describe('the rolled log file', () => {
  it('begins another one at the size, and goes on with the last one of today after a restart', async () => {
    const folder = mkdtempSync(join(root, 'logs-'));
    const { file, rolls } = await openIn(folder, 10);
    await file.write('first\n');
    const first = nameOf(file);
    assert.match(first, /^app\.\d{4}-\d\d-\d\d\.1\.log$/);
    const rolled = once(rolls, 'rolled');
    await file.write('second\n');
    await rolled;
    await file.write('third\n');
    const again = await openIn(folder, 10);
    await again.file.write('4\n');
    const second = first.replace('.1.log', '.2.log');
    assert.deepEqual(contents(folder), { [first]: 'first\nsecond\n', [second]: 'third\n4\n' });
  });

  it('begins another one at midnight', async (t) => {
    const folder = mkdtempSync(join(root, 'logs-'));
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: new Date(2026, 10, 24, 23, 59, 59) });
    const { file, rolls } = await openIn(folder, 1_000_000);
    await file.write('yesterday\n');
    const rolled = once(rolls, 'rolled');
    t.mock.timers.tick(1_000);
    await rolled;
    await file.write('today\n');
    assert.deepEqual(contents(folder), {
      'app.2026-11-24.1.log': 'yesterday\n',
      'app.2026-11-25.1.log': 'today\n',
    });
  });

  it('is made anew when it, or its folder, was deleted', async () => {
    const folder = mkdtempSync(join(root, 'logs-'));
    const { file } = await openIn(folder, 1_000_000);
    await file.write('one\n');
    rmSync(join(folder, nameOf(file)));
    await file.write('two\n');
    assert.deepEqual(Object.values(contents(folder)), ['two\n']);
    rmSync(folder, { recursive: true });
    await file.write('three\n');
    assert.deepEqual(Object.values(contents(folder)), ['three\n']);
  });

  it('keeps the lines while a deleted file cannot be made anew, however often that is tried', async () => {
    const folder = mkdtempSync(join(root, 'logs-'));
    const { file } = await openIn(folder, 8);
    await file.write('one\n');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder');
    await assert.rejects(file.write('two\n'), { code: 'EEXIST' });
    await assert.rejects(file.retry(), { code: 'EEXIST' });
    await assert.rejects(file.reopen(), { code: 'EEXIST' });
    rmSync(folder);
    await file.retry();
    await file.write('three\n');
    assert.deepEqual(Object.values(contents(folder)).join(''), 'two\nthree\n');
  });

  it('goes on in the file at hand while the next one cannot be opened, and closes each only once', async () => {
    const folder = mkdtempSync(join(root, 'logs-'));
    const { file, rolls } = await openIn(folder, 10);
    await file.write('first\n');
    const first = nameOf(file);
    const second = first.replace('.1.log', '.2.log');
    mkdirSync(join(folder, second));
    for (const line of ['full now\n', 'three\n', 'four\n']) await file.write(line).catch(() => file.retry());
    rmdirSync(join(folder, second));
    const rolled = once(rolls, 'rolled');
    await file.write('five\n');
    await rolled;
    // A descriptor that is closed twice is an error of the next write, or takes away somebody else's file.
    for (const line of ['6\n', '7\n']) {
      await file.write(line);
      await new Promise(setImmediate);
    }
    assert.deepEqual(Object.values(contents(folder)), ['first\nfull now\nthree\nfour\n', 'five\n6\n7\n']);
  });
});
