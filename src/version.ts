// The version of this installation, from package.json.
import { readFileSync } from 'node:fs';
import { installedFile } from './installed-files.ts';

/** As `npm version` sees it. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const found: unknown = JSON.parse(readFileSync(installedFile('package.json'), 'utf8'));
  const hasVersion = typeof found === 'object' && found !== null && 'version' in found;
  return hasVersion && typeof found.version === 'string' ? found.version : '0.0.0';
}
