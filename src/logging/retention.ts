// Deletes rolled log files that are too old, or too many bytes together; never the one being written.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/** What may stay. */
export interface Retention {
  readonly days: number;
  /** Of all rolled files together, the active one included. */
  readonly totalBytes: number;
}

interface RolledFile {
  readonly path: string;
  readonly bytes: number;
  readonly changedAt: number;
}

const DAY_MS = 86_400_000;

/**
 * Sweeps the folder of a rolled log.
 * @param base path that the rolled names derive from: `/dir/app.log` gives `/dir/app.2026-11-24.1.log`
 * @param active path of the file being written
 * @returns the paths that were deleted
 */
export function sweepRolledFiles(base: string, active: string, retention: Retention, now: number): string[] {
  const files = rolledFiles(base).sort((a, b) => b.changedAt - a.changedAt);
  const deleted: string[] = [];
  // Goes on growing past the limit, so that no older file outlives a newer one.
  let totalBytes = files.find(({ path }) => path === active)?.bytes ?? 0;
  for (const { path, bytes, changedAt } of files) {
    if (path === active) continue;
    totalBytes += bytes;
    if (changedAt >= now - retention.days * DAY_MS && totalBytes <= retention.totalBytes) continue;
    rmSync(path, { force: true });
    deleted.push(path);
  }
  return deleted;
}

function rolledFiles(base: string): RolledFile[] {
  const folder = dirname(base);
  const extension = extname(base);
  const name = basename(base, extension);
  const isRolled = new RegExp(`^${literally(name)}\\.(?:[\\d-]+\\.)?\\d+${literally(extension)}(?:\\.gz)?$`);
  return readdirSync(folder)
    .filter((file) => isRolled.test(file))
    .map((file) => join(folder, file))
    .flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ path, bytes: stats.size, changedAt: stats.mtimeMs }];
    });
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
