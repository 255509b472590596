// Writes one backup: a tar archive, compressed and perhaps encrypted, that is whole or not there, and that never takes
// the place of another file.
import { closeSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '../errors.ts';
import { BackupError, pipeCommands } from './pipe-commands.ts';
import { type Seal, sealCommands, sealSuffix } from './seal.ts';

/**
 * @param files absolute paths
 * @param folder where the backup goes
 * @returns the path of the backup
 * @throws BackupError
 */
export async function writeBackup(
  files: readonly string[],
  folder: string,
  seal: Seal,
  now: Date,
): Promise<string> {
  for (const file of files) assertReadable(file);
  // Folders with their owners and modes, but none of their other files.
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const names = [...folders, ...files].map((path) => `.${path}`);
  const flags = ['--create', '--gzip', '--dereference', '--no-recursion', '--directory=/', '--file=-', '--'];
  const partial = join(folder, `.flow-proxy-${process.pid}.partial`);
  const output = open(partial);
  try {
    const tar = { program: 'tar', arguments: [...flags, ...names] };
    await pipeCommands([tar, ...sealCommands(seal)], null, output);
    return nameAnew(partial, folder, `flow-proxy-${stamp(now)}.tar.gz${sealSuffix(seal)}`);
  } finally {
    closeSync(output);
    rmSync(partial, { force: true });
  }
}

/** tar would leave it out and go on. */
function assertReadable(file: string): void {
  try {
    closeSync(openSync(file, 'r'));
    statSync(file);
  } catch (cause) {
    throw new BackupError(`${file} cannot be read (${messageOf(cause)}): run this as root or as its owner`);
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    throw new BackupError(`no backup can be written to ${dirname(path)}: ${messageOf(cause)}`);
  }
}

/** A link, unlike a rename, fails where there is a file already. */
function nameAnew(partial: string, folder: string, name: string): string {
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? name : name.replace('.tar', `-${number}.tar`));
    try {
      linkSync(partial, path);
      return path;
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST') throw new BackupError(`${path}: ${messageOf(cause)}`);
    }
  }
}

/** Such as 20261124T170000Z. */
function stamp(now: Date): string {
  return now.toISOString().replace(/[-:]|\.\d+/g, '');
}
