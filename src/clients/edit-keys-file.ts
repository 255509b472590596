// Changes the file of client keys: one editor at a time, and whoever reads it sees the old file or the new one whole.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf, messageOf } from '../errors.ts';
import { type ClientKeyEntry, readKeysFile } from './keys-file.ts';

/** The file cannot be changed now. */
export class KeysFileError extends Error {}

/** How long to wait for another command that is changing the file. */
const LOCK_WAIT_MS = 5_000;
const LOOK_EVERY_MS = 20;
const PRIVATE_MODE = 0o600;
/** Of an existing file the group may go on reading it, if it could; others never. */
const KEPT_MODE = 0o640;

/**
 * Reads the file (none is one without keys), lets `change` make new keys of its keys, and writes them.
 * @throws ConfigError when the file is broken, KeysFileError when it cannot be written; then it is as it was
 */
export async function editKeysFile<T>(
  path: string,
  change: (entries: readonly ClientKeyEntry[]) => {
    readonly entries: readonly ClientKeyEntry[];
    readonly result: T;
  },
  waitMs: number = LOCK_WAIT_MS,
): Promise<T> {
  const file = existsSync(path) ? realpathSync(path) : path;
  const lock = `${file}.lock`;
  await takeLock(lock, waitMs);
  try {
    const { entries, result } = change(existsSync(file) ? readKeysFile(file) : []);
    writeWhole(file, textOf(entries));
    return result;
  } finally {
    rmSync(lock, { force: true });
  }
}

async function takeLock(lock: string, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx', PRIVATE_MODE));
      return;
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST') throw new KeysFileError(explain(cause, lock), { cause });
    }
    if (performance.now() > deadline) {
      throw new KeysFileError(`another command is changing the file; if none is, delete ${lock}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

/** A reader, and a crash at any moment, finds either file. */
function writeWhole(file: string, text: string): void {
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const before = existsSync(file) ? statSync(file) : null;
    writeDurably(temporary, text, before);
    renameSync(temporary, file);
    syncFolder(folder);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new KeysFileError(explain(cause, file), { cause });
  }
}

function writeDurably(path: string, text: string, before: Stats | null): void {
  const descriptor = openSync(path, 'wx', PRIVATE_MODE);
  try {
    if (before !== null && keepOwner(descriptor, before)) {
      fchmodSync(descriptor, (before.mode & KEPT_MODE) | PRIVATE_MODE);
    }
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Root edits the file of the user that the service runs as: that user must still be able to read it.
 * @returns whether owner and group are those of before
 */
function keepOwner(descriptor: number, { uid, gid }: Stats): boolean {
  try {
    const now = fstatSync(descriptor);
    if (now.uid !== uid || now.gid !== gid) fchownSync(descriptor, uid, gid);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EPERM') return false;
    throw cause;
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function textOf(entries: readonly ClientKeyEntry[]): string {
  const keys = entries.map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null)),
  );
  return `${JSON.stringify({ keys }, null, 2)}\n`;
}

function explain(cause: unknown, path: string): string {
  switch (codeOf(cause)) {
    case 'ENOENT':
      return `${dirname(path)}: no such folder`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${path} cannot be written: permission denied`;
    default:
      return `${path} cannot be written: ${messageOf(cause)}`;
  }
}
