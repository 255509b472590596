// The code that workers run: where it is, and whether it has been replaced on disk since, as by an upgrade.
import { createHash } from 'node:crypto';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** Code as it was at one moment. */
export interface Code {
  /** Compiled workers/proxy-worker.ts, without symbolic links on the way: a link may point elsewhere later. */
  readonly workerFile: string;
  /** Of everything that a worker may load. */
  readonly fingerprint: string;
}

const FOLDERS = ['dist/src/cli', 'dist/workers', 'dist/chunks'];
/** Ours, and the one in which npm keeps the versions of all dependencies that are installed. */
const FILES = ['package.json', 'node_modules/.package-lock.json'];

/**
 * Looks at the installation as it is now.
 * @param root its folder; may be a symbolic link that an upgrade turns to another version
 */
export async function readCode(root: string): Promise<Code> {
  const folder = await realpath(root);
  const hash = createHash('sha256');
  const listed = await Promise.all(FOLDERS.map((name) => filesOf(join(folder, name))));
  for (const file of [...FILES.map((name) => join(folder, name)), ...listed.flat().sort()]) {
    hash.update(`${file}\n`).update(await contentOf(file));
  }
  return { workerFile: join(folder, 'dist/workers/proxy-worker.js'), fingerprint: hash.digest('hex') };
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) =>
    entry.isFile() && entry.name.endsWith('.js') ? [join(entry.parentPath, entry.name)] : [],
  );
}

/** Dependencies may be installed elsewhere, as by `npm install --global`. */
async function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch(() => Buffer.alloc(0));
}
