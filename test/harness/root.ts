// Finds files of the repository from a compiled test, wherever the build went.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute path of a file of the repository; a build elsewhere is told by the variable REPOSITORY. */
export function root(path: string): string {
  let folder = process.env['REPOSITORY'] ?? dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'biome.json'))) {
    if (folder === dirname(folder)) throw new Error('no repository above this build; set REPOSITORY');
    folder = dirname(folder);
  }
  return join(folder, path);
}
