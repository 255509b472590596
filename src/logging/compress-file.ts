// Compresses one rolled log file, so that a crash at any moment leaves a whole file: a temporary one is renamed when it
// is complete and on disk, and only then does the plain one go. Runs in a thread.
import { copyFile, open, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { COMPRESSED, TEMPORARY } from './retention.ts';

/** utimes takes floating-point seconds. */
const SAME_TIME_MS = 1;

/**
 * Makes `path.gz` of `path`; mode and time of change are kept.
 * @throws the system's error, or when the file is still being written; the plain file is then as it was
 */
export async function compressFile(path: string): Promise<void> {
  const [target, temporary] = [`${path}${COMPRESSED}`, `${path}${TEMPORARY}`];
  const before = await stat(path);
  const existing = await stat(target).catch(() => undefined);
  // The same time of change: it is this file, and the process ended before the plain one was deleted.
  if (existing === undefined || Math.abs(existing.mtimeMs - before.mtimeMs) >= SAME_TIME_MS) {
    try {
      // Another file of the same name, from before the numbers began again: gzip files may follow each other.
      if (existing === undefined) await rm(temporary, { force: true });
      else await copyFile(target, temporary);
      await appendCompressed(path, temporary, before.mode);
      await utimes(temporary, before.atime, before.mtime);
      const after = await stat(path);
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs)
        throw new Error(`${path} is still being written`);
      await rename(temporary, target);
    } catch (cause) {
      await rm(temporary, { force: true });
      throw cause;
    }
  }
  await unlink(path);
}

async function appendCompressed(path: string, temporary: string, mode: number): Promise<void> {
  const source = await open(path);
  try {
    const target = await open(temporary, 'a', mode & 0o777);
    await pipeline(source.createReadStream(), createGzip(), target.createWriteStream({ flush: true }));
  } finally {
    await source.close();
  }
}
