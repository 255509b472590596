// Makes a folder and those above it. mkdir with `recursive` never returns where a folder that is there lets none be
// made in it and calls itself missing, as /proc does.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes what is missing of a path; a folder that is there stays as it is.
 * @throws the system's error when one of them cannot be made
 */
export function makeFolder(path: string, mode = 0o777): void {
  if (isFolder(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (cause) {
    // Somebody else may have made it just now.
    if (!isFolder(path)) throw cause;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}
