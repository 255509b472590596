import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { sweepRolledFiles } from '../../../src/logging/retention.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-24T12:00:00Z');
const root = mkdtempSync(join(tmpdir(), 'flow-proxy-retention-'));
after(() => rmSync(root, { recursive: true, force: true }));

type File = readonly [name: string, ageDays: number, bytes: number];

function folderOf(files: readonly File[]): string {
  const folder = mkdtempSync(join(root, 'logs-'));
  for (const [name, ageDays, bytes] of files) {
    writeFileSync(join(folder, name), 'x'.repeat(bytes));
    const seconds = (NOW - ageDays * DAY_MS) / 1_000;
    utimesSync(join(folder, name), seconds, seconds);
  }
  return folder;
}

/** The names that are left after a sweep of app.log, whose active file is the first given one. */
function left(files: readonly File[], retention: { days?: number; totalBytes?: number }): string[] {
  const folder = folderOf(files);
  const limits = { days: 7, totalBytes: 1_000_000, ...retention };
  const deleted = sweepRolledFiles(join(folder, 'app.log'), [join(folder, files[0]?.[0] ?? '')], limits, NOW);
  const names = readdirSync(folder);
  assert.deepEqual(
    [...names, ...deleted.map((path) => basename(path))].sort(),
    files.map(([name]) => name).sort(),
    'it reports what it deletes, and nothing else goes',
  );
  return names.sort();
}

describe('a sweep of rolled log files', () => {
  it('deletes those that are older than the days', () => {
    const files: File[] = [
      ['app.2026-11-24.1.log', 0, 1],
      ['app.2026-11-18.1.log', 6.9, 1],
      ['app.2026-11-17.2.log', 7.1, 1],
      ['app.2026-11-01.1.log.gz', 23, 1],
    ];
    assert.deepEqual(left(files, {}), ['app.2026-11-18.1.log', 'app.2026-11-24.1.log']);
  });

  it('deletes the oldest beyond the total, in which the active one counts', () => {
    const files: File[] = [
      ['app.2026-11-24.4.log', 0, 100],
      ['app.2026-11-24.3.log', 1, 100],
      ['app.2026-11-24.2.log', 2, 100],
      ['app.2026-11-24.1.log', 3, 100],
    ];
    assert.deepEqual(left(files, { totalBytes: 300 }), [
      'app.2026-11-24.2.log',
      'app.2026-11-24.3.log',
      'app.2026-11-24.4.log',
    ]);
    assert.deepEqual(left(files, { totalBytes: 299 }), ['app.2026-11-24.3.log', 'app.2026-11-24.4.log']);
  });

  it('lets no older file outlive a newer one that had to go', () => {
    const files: File[] = [
      ['app.2026-11-24.3.log', 0, 10],
      ['app.2026-11-24.2.log', 1, 500],
      ['app.2026-11-24.1.log', 2, 10],
    ];
    assert.deepEqual(left(files, { totalBytes: 100 }), ['app.2026-11-24.3.log']);
  });

  it('never deletes the active file, however old and large it is', () => {
    assert.deepEqual(left([['app.2026-11-24.1.log', 99, 5_000]], { totalBytes: 1 }), [
      'app.2026-11-24.1.log',
    ]);
  });

  it('leaves files alone that are not of this log, those that logrotate made of it among them', () => {
    const files: File[] = [
      ['app.2026-11-24.1.log', 0, 1],
      ['app.log', 99, 1],
      ['app.log.1', 99, 1],
      ['app.log-20261124.gz', 99, 1],
      ['app.1.log', 99, 1],
      ['app.old.1.log', 99, 1],
      ['app.2026-11-24.log', 99, 1],
      ['myapp.2026-11-24.1.log', 99, 1],
      ['appx2026-11-24.1.log', 99, 1],
      ['app.2026-11-24.1.log.bak', 99, 1],
      ['app.2026-11-24.1.log.gz.tmp', 99, 1],
      ['app.2026-11-24.1.txt', 99, 1],
    ];
    assert.equal(left(files, {}).length, files.length);
  });

  it('takes special characters of the name as they are', () => {
    const folder = folderOf([
      ['a+(b).2026-11-24.1.log', 99, 1],
      ['aab.2026-11-24.1.log', 99, 1],
    ]);
    sweepRolledFiles(join(folder, 'a+(b).log'), [], { days: 1, totalBytes: 1 }, NOW);
    assert.deepEqual(readdirSync(folder), ['aab.2026-11-24.1.log']);
  });

  it('passes over a link that leads nowhere', () => {
    const folder = folderOf([]);
    symlinkSync(join(folder, 'gone'), join(folder, 'app.2026-11-24.1.log'));
    assert.deepEqual(sweepRolledFiles(join(folder, 'app.log'), [], { days: 1, totalBytes: 1 }, NOW), []);
  });
});
