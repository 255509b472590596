// The log files of the service that the settings describe: the one being written and those it was before.
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { LogSettings } from '../config/settings.ts';
import { rolledFiles } from '../logging/retention.ts';

/** What logrotate adds to a name: a number or a date, and the ending of a compressed file. */
const ROTATED = /^(?:\.\d+|-\d{8}(?:\d\d)?(?:-\d+)?)?(?:\.gz)?$/;

/**
 * @param sinceMs files last changed before hold nothing that is asked for
 * @returns paths, oldest first; empty when the log is not in files
 * @throws the system's error when the folder cannot be read
 */
export function logFiles(log: LogSettings, sinceMs: number): string[] {
  if (log.rotation === 'none') return [];
  const files = log.rotation === 'internal' ? rolledPaths(log.file) : rotatedPaths(log.file);
  return files
    .flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, changedAt: stats.mtimeMs }];
    })
    .filter(({ changedAt }) => changedAt >= sinceMs)
    .sort((a, b) => a.changedAt - b.changedAt)
    .map(({ path }) => path);
}

function rolledPaths(base: string): string[] {
  return rolledFiles(base)
    .filter(({ kind }) => kind !== 'temporary')
    .map(({ path }) => path);
}

function rotatedPaths(file: string): string[] {
  const [folder, name] = [dirname(file), basename(file)];
  return readdirSync(folder)
    .filter((found) => found.startsWith(name) && ROTATED.test(found.slice(name.length)))
    .map((found) => join(folder, found));
}
