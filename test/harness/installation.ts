// An installation of its own for a test: versions beside each other and a link to the one in use, as ops/install.sh
// makes them. Their code may be edited under a running service, as by an upgrade.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './root.ts';

const PARTS = ['package.json', 'dist/src/cli/main.js', 'dist/chunks', 'dist/page', 'dist/workers'];

/** The one bundle of an installation that has a text. */
export function bundleWith(folder: string, text: string): string {
  const bundles = ['dist/chunks', 'dist/workers'].flatMap((name) =>
    readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
  );
  const found = bundles.filter((file) => file.endsWith('.js') && readFileSync(file, 'utf8').includes(text));
  const [file] = found;
  if (file === undefined || found.length > 1) throw new Error(`${found.length} bundles have "${text}"`);
  return file;
}

export class Installation {
  /** What a service is started by: dist/src/cli/main.js behind the link. */
  readonly main: string;
  readonly #folder: string;

  /** Of this build, as version `1`. */
  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'flow-proxy-installed-'));
    this.add('1');
    this.use('1');
    this.main = join(this.#folder, 'current/dist/src/cli/main.js');
  }

  /** Puts another copy of this build beside the others. */
  add(version: string): void {
    const folder = join(this.#folder, version);
    mkdirSync(folder);
    for (const part of PARTS) cpSync(root(part), join(folder, part), { recursive: true });
    symlinkSync(root('node_modules'), join(folder, 'node_modules'));
  }

  /** Turns the link. */
  use(version: string): void {
    const link = join(this.#folder, 'next');
    symlinkSync(version, link);
    renameSync(link, join(this.#folder, 'current'));
  }

  /** A compiled file of the version in use. */
  file(path: string): string {
    return join(this.#folder, 'current/dist', path);
  }

  /**
   * Replaces text in the one bundle of the version in use that has it.
   * @returns puts it back
   */
  edit(from: string, to: string): () => void {
    const file = bundleWith(this.file('..'), from);
    const before = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      before.replace(from, () => to),
    );
    return () => writeFileSync(file, before);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
