// Which rolled log files there are, and the end of those that are too old, or too many bytes together. Never touches
// the one being written, nor what logrotate makes of a plain file: its names hold no date and number of ours.
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/** What may stay. */
export interface Retention {
  readonly days: number;
  /** Of all rolled files together, the active one and compressed ones included. */
  readonly totalBytes: number;
}

/** One file of a rolled log. */
export interface RolledFile {
  readonly path: string;
  readonly bytes: number;
  readonly changedAt: number;
  readonly kind: 'plain' | 'compressed' | 'temporary';
}

/** Ends the name of a rolled file that is compressed. */
export const COMPRESSED = '.gz';
/** Ends the name of one that is being compressed, or was when the process ended. */
export const TEMPORARY = '.gz.tmp';

const DAY_MS = 86_400_000;

/**
 * Deletes what need not stay.
 * @param base path that the rolled names derive from: `/dir/app.log` gives `/dir/app.2026-11-24.1.log`
 * @param active paths of files being written
 * @returns the paths that were deleted
 */
export function sweepRolledFiles(
  base: string,
  active: readonly string[],
  retention: Retention,
  now: number,
): string[] {
  const files = rolledFiles(base)
    .filter(({ kind }) => kind !== 'temporary')
    .sort((a, b) => b.changedAt - a.changedAt);
  const deleted: string[] = [];
  // Goes on growing past the limit, so that no older file outlives a newer one.
  let totalBytes = files
    .filter(({ path }) => active.includes(path))
    .reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes, changedAt } of files) {
    if (active.includes(path)) continue;
    totalBytes += bytes;
    if (changedAt >= now - retention.days * DAY_MS && totalBytes <= retention.totalBytes) continue;
    rmSync(path, { force: true });
    deleted.push(path);
  }
  return deleted;
}

/** Every file of a rolled log, in no order. */
export function rolledFiles(base: string): RolledFile[] {
  const isRolled = rolledName(base);
  return readdirSync(dirname(base))
    .filter((file) => isRolled.test(file))
    .map((file) => join(dirname(base), file))
    .flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return [];
      return [{ path, bytes: stats.size, changedAt: stats.mtimeMs, kind: kindOf(path) }];
    });
}

/** The first rolled file of a day, as pino-roll names it. */
export function rolledPath(base: string, day: Date): string {
  const extension = extname(base);
  const date = [day.getFullYear(), day.getMonth() + 1, day.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
  return join(dirname(base), `${basename(base, extension)}.${date}.1${extension}`);
}

/** The names of rolled files, without their folder. */
export function rolledName(base: string): RegExp {
  const extension = extname(base);
  const name = basename(base, extension);
  return new RegExp(
    `^${literally(name)}\\.\\d{4}-\\d\\d-\\d\\d\\.\\d+${literally(extension)}(?:\\.gz(?:\\.tmp)?)?$`,
  );
}

function kindOf(path: string): RolledFile['kind'] {
  if (path.endsWith(TEMPORARY)) return 'temporary';
  return path.endsWith(COMPRESSED) ? 'compressed' : 'plain';
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
