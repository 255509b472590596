// Builds dist/ from nothing, so that a file deleted from the source never lives on in a build.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(
  /package\.json$/,
  'bin/tsc',
);
const { status } = spawnSync(process.execPath, [tsc, '-p', '.'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
chmodSync('dist/src/cli/main.js', 0o755);
// What is no TypeScript: the status page.
cpSync('src/supervisor/admin/page', 'dist/src/supervisor/admin/page', { recursive: true });
