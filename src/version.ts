// The version of this installation, from package.json.
import { createRequire } from 'node:module';

/** As `npm version` sees it. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const found: unknown = createRequire(import.meta.url)('../../package.json');
  const hasVersion = typeof found === 'object' && found !== null && 'version' in found;
  return hasVersion && typeof found.version === 'string' ? found.version : '0.0.0';
}
