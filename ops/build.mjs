// Builds dist/ from nothing, so that a file deleted from the source never lives on in a build. The compiler checks and
// translates everything, file by file, for tests and tools. What an installation runs is bundled over that: a process of
// the service then loads about ten files of ours instead of three hundred, which was half of its start.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** What processes and threads are started with. */
const ENTRIES = [
  'src/cli/main',
  'workers/proxy-worker',
  'workers/compress-log',
  'workers/host-figures',
  'workers/rewrite-body',
  'workers/scan-log',
];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
const tsc = fileURLToPath(import.meta.resolve('typescript/package.json')).replace(
  /package\.json$/,
  'bin/tsc',
);
const { status } = spawnSync(process.execPath, [tsc, '-p', '.'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const bundle = await rolldown({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `${name}.ts`])),
  platform: 'node',
  // Packages stay as npm installed them.
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
  // ops/activate-release.sh reads PROTOCOL.
  optimization: { inlineConst: false },
  plugins: [{ name: 'shell-lines', renderChunk: keepShellLines }],
});
await bundle.write({
  dir: 'dist',
  format: 'es',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
  // Names as in the source, for whoever reads the build.
  minifyInternalExports: false,
  sourcemap: true,
});
await bundle.close();
chmodSync('dist/src/cli/main.js', 0o755);
// What is no TypeScript: the status page.
cpSync('src/supervisor/admin/page', 'dist/page', { recursive: true });

/** The executable's second line is a comment to the bundler, and a command to the shell that its first line names. */
function keepShellLines(code, { name }) {
  if (name !== 'src/cli/main') return null;
  const [interpreter, command] = readFileSync('src/cli/main.ts', 'utf8').split('\n');
  if (!code.startsWith(`${interpreter}\n`))
    throw new Error('the bundle of main.ts does not begin as main.ts does');
  return { code: code.replace('\n', `\n${command}\n`), map: null };
}
