// Puts the files of a backup back where they were, with their modes and owners. What is there already stays: a file
// that differs stops everything before anything is written, unless it may be moved aside.
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { messageOf } from '../errors.ts';
import { makeFolder } from '../host/make-folder.ts';
import { BackupError, pipeCommands } from './pipe-commands.ts';
import { openCommands, type SealKeys } from './seal.ts';

export interface RestoreOptions extends SealKeys {
  /** Folder that stands for the root of the file system. */
  readonly root: string;
  /** Files that differ are renamed to NAME.before-restore-TIME first. */
  readonly movesAside: boolean;
  readonly now: Date;
}

/** What became of each file, by its path. */
export interface Restored {
  readonly written: readonly string[];
  /** The same file was there. */
  readonly unchanged: readonly string[];
  /** New names of what was there before. */
  readonly movedAside: readonly string[];
}

interface Entry {
  readonly source: string;
  readonly target: string;
  readonly stats: Stats;
}

/** @throws BackupError, before anything was changed, when the backup cannot be opened or files are in the way */
export async function restoreBackup(file: string, options: RestoreOptions): Promise<Restored> {
  const unpacked = mkdtempSync(join(tmpdir(), 'flow-proxy-restore-'));
  try {
    await unpack(file, unpacked, options);
    return putBack(entriesBelow(unpacked, unpacked, options.root), options);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

async function unpack(file: string, folder: string, keys: SealKeys): Promise<void> {
  const start = Buffer.alloc(32);
  const input = open(file);
  try {
    readSync(input, start, 0, start.length, 0);
  } finally {
    closeSync(input);
  }
  const flags = ['--extract', '--gzip', '--preserve-permissions', `--directory=${folder}`, '--file=-'];
  const again = open(file);
  try {
    await pipeCommands([...opening(file, start, keys), { program: 'tar', arguments: flags }], again, null);
  } catch (cause) {
    throw new BackupError(`${file} cannot be unpacked: ${messageOf(cause)}`);
  } finally {
    closeSync(again);
  }
}

/** tar wants its input from a pipe or a file alike; without encryption it reads the file itself. */
function opening(file: string, start: Buffer, keys: SealKeys): ReturnType<typeof openCommands> {
  try {
    return openCommands(start, keys);
  } catch (cause) {
    throw new BackupError(`${file}: ${messageOf(cause)}`);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (cause) {
    throw new BackupError(`${file} cannot be read: ${messageOf(cause)}`);
  }
}

/** Folders before what is in them. */
function entriesBelow(folder: string, unpacked: string, root: string): Entry[] {
  return readdirSync(folder).flatMap((name) => {
    const source = join(folder, name);
    const stats = lstatSync(source);
    if (!stats.isFile() && !stats.isDirectory()) {
      throw new BackupError(`${relative(unpacked, source)} in it is neither a file nor a folder`);
    }
    const entry = { source, target: join(root, relative(unpacked, source)), stats };
    return stats.isDirectory() ? [entry, ...entriesBelow(source, unpacked, root)] : [entry];
  });
}

function putBack(entries: readonly Entry[], { movesAside, now }: RestoreOptions): Restored {
  const files = entries.filter(({ stats }) => stats.isFile());
  const inTheWay = files.filter(({ target }) => existsSync(target));
  const unchanged = inTheWay.filter(({ source, target }) => isSame(source, target));
  const differing = inTheWay.filter((entry) => !unchanged.includes(entry));
  if (differing.length > 0 && !movesAside) {
    const paths = differing.map(({ target }) => `  - ${target}`).join('\n');
    throw new BackupError(
      `nothing was restored, as these files are there and differ:\n${paths}\nGive --aside to have them renamed first, or --root FOLDER to restore elsewhere`,
    );
  }
  for (const { target, stats } of entries) if (stats.isDirectory()) putFolder(target, stats);
  const suffix = `.before-restore-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  for (const { target } of differing) renameSync(target, target + suffix);
  const written = files.filter((entry) => !unchanged.includes(entry));
  for (const entry of written) writeFile(entry);
  return {
    written: written.map(({ target }) => target),
    unchanged: unchanged.map(({ target }) => target),
    movedAside: differing.map(({ target }) => target + suffix),
  };
}

function isSame(source: string, target: string): boolean {
  return lstatSync(target).isFile() && readFileSync(source).equals(readFileSync(target));
}

/** Folders that are there keep their modes. */
function putFolder(target: string, stats: Stats): void {
  if (existsSync(target)) return;
  makeFolder(target, 0o700);
  take(target, stats);
}

function writeFile({ source, target, stats }: Entry): void {
  // Fails, rather than writes over it, when somebody has made the file in the meantime.
  copyFileSync(source, target, constants.COPYFILE_EXCL);
  take(target, stats);
}

/** Only root may give a file to somebody else. */
function take(target: string, { uid, gid, mode }: Stats): void {
  if (process.getuid?.() === 0) chownSync(target, uid, gid);
  chmodSync(target, mode & 0o7777);
}
