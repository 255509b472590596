// What npm runs after an install: the build. Not for `npx flow-proxy`: npx links a checkout into its cache at first, and
// npm takes that for an install, too; a build then would take dist/ away from a service that runs from it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const isBuilt = existsSync(fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url)));
if (process.env.npm_command !== 'exec' || !isBuilt) await import('./build.mjs');
