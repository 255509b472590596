// An installation of its own for a test: versions beside each other and a link to the one in use, as ops/install.sh
// makes them. Their code may be edited under a running service, as by an upgrade.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './root.ts';

const PARTS = ['package.json', 'dist/src', 'dist/workers'];

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
   * Replaces text in a compiled file of the version in use, which must be there.
   * @returns puts it back
   */
  edit(path: string, from: string, to: string): () => void {
    const file = this.file(path);
    const before = readFileSync(file, 'utf8');
    if (!before.includes(from)) throw new Error(`${file} has no "${from}"`);
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
