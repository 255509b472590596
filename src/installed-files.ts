// Where the files of this installation are. The code that asks may be a module of its own or part of a bundle
// (ops/build.mjs), so places are counted from the folder of package.json and not from the asking file.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json: the nearest one above this code. */
export const INSTALLED_ROOT: string = rootAbove(dirname(fileURLToPath(import.meta.url)));

/** A file of the version that this code is of. */
export function installedFile(path: string): string {
  return join(INSTALLED_ROOT, path);
}

function rootAbove(folder: string): string {
  return folder === dirname(folder) || existsSync(join(folder, 'package.json'))
    ? folder
    : rootAbove(dirname(folder));
}
