// Can the log be written, and is there room for it?
import { existsSync, mkdtempSync, rmdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LogSettings } from '../config/settings.ts';
import { messageOf } from '../errors.ts';
import { probeFile } from '../logging/plain-file.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const GIGABYTE = 2 ** 30;
const LEAST_BYTES = 100 * 1024 * 1024;

export function checkLog(log: LogSettings, cwd: string): Finding[] {
  if (log.rotation === 'none') {
    return [ok('log', 'goes to standard output'), checkDisk(cwd, 0)];
  }
  const folder = existingFolder(dirname(log.file));
  const roomBytes = log.rotation === 'internal' ? log.maxTotalBytes : 0;
  return [checkWritable(log.file, folder), checkDisk(folder, roomBytes)];
}

function checkWritable(file: string, folder: string): Finding {
  try {
    tryToWrite(file, folder);
  } catch (cause) {
    const reason = messageOf(cause);
    const fix = 'give it to the user of the service (`chown`), or list it in ReadWritePaths= of the unit';
    return fail('log', `${file} cannot be written by us (uid ${process.getuid?.() ?? '?'}): ${reason}`, fix);
  }
  return ok('log', existsSync(file) ? `${file} can be written` : `${file} can be made in ${folder}`);
}

/** Permissions alone say too little: root has them all, a file system may be read-only. Leaves nothing behind. */
function tryToWrite(file: string, folder: string): void {
  // Unlike existsSync it tells of a name that is too long.
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) probeFile(file);
  else rmdirSync(mkdtempSync(join(folder, '.flow-proxy-doctor-')));
}

/** @param wantedBytes what the log may come to take by itself */
function checkDisk(folder: string, wantedBytes: number): Finding {
  const { bavail, bsize, blocks } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const what = `${(freeBytes / GIGABYTE).toFixed(1)} GB of ${((blocks * bsize) / GIGABYTE).toFixed(1)} GB free at ${folder}`;
  const fix = 'make room, or keep fewer logs (FLOW_PROXY_LOG_MAX_SIZE_MB, FLOW_PROXY_LOG_RETENTION_DAYS)';
  if (freeBytes < LEAST_BYTES) return fail('disk', what, fix);
  return freeBytes < Math.max(GIGABYTE, wantedBytes) ? warn('disk', what, fix) : ok('disk', what);
}

/** Folders of a log are made when they are missing. */
function existingFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}
