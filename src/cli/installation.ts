// Where this flow-proxy is installed, as it was started: perhaps by a symbolic link that an upgrade turns to another
// version, so that it is followed anew each time.
import { realpathSync } from 'node:fs';
import { INSTALLED_ROOT } from '../installed-files.ts';

const MAIN = 'dist/src/cli/main.js';

/** The folder of package.json. */
export function installationFolder(): string {
  const started = process.argv[1] ?? '';
  try {
    const main = realpathSync(started);
    if (main.endsWith(MAIN)) return main.slice(0, -MAIN.length);
  } catch {
    // It was moved away; where the running code came from is still known.
  }
  return INSTALLED_ROOT;
}
