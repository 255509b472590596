// A log that we roll ourselves, daily and by size. pino-roll, and sonic-boom below it, are known only here; what they
// leave to chance when a file cannot be opened or is deleted is made good around every batch.
import { once } from 'node:events';
import { fstatSync, type Stats } from 'node:fs';
import type PinoRoll from 'pino-roll';
import type { Outlet } from './line-queue.ts';
import { FILE_MODE, isSameFile, lookAt, probeFile } from './plain-file.ts';

type RollingStream = Awaited<ReturnType<typeof PinoRoll>>;

export class RollingFile implements Outlet {
  readonly #stream: RollingStream;
  #path: string;
  #opened: Stats;
  /** What is not yet handed to sonic-boom. */
  #unwritten = '';
  #onRolled: () => void = () => {};

  /** @param stream has opened its first file */
  constructor(stream: RollingStream) {
    this.#stream = stream;
    this.#path = stream.file ?? '';
    this.#opened = fstatSync(stream.fd);
    stream.on('ready', this.#onReady);
    stream.on('error', () => this.#forgetReopening());
  }

  /** Calls back whenever another file has been opened. */
  onRolled(callback: () => void): void {
    this.#onRolled = callback;
  }

  /** Paths that may be written to: the open file, and one that is about to be opened. */
  get active(): readonly string[] {
    return [this.#path, this.#stream.file ?? this.#path];
  }

  write(lines: string): Promise<void> {
    this.#unwritten = lines;
    return this.retry();
  }

  async retry(): Promise<void> {
    await this.#ensureFile();
    const lines = this.#unwritten;
    this.#unwritten = '';
    // Once handed over it stays with sonic-boom; an empty write makes that go on with what it could not write.
    await this.#until('drain', () => this.#stream.write(lines));
  }

  async reopen(): Promise<void> {
    await this.#open(this.#stream.file ?? this.#path);
  }

  /** After a roll that failed, or when somebody took away the file or its folder. */
  async #ensureFile(): Promise<void> {
    const wanted = this.#stream.file ?? this.#path;
    if (wanted === this.#path && isSameFile(lookAt(wanted), this.#opened)) return;
    try {
      await this.#open(wanted);
    } catch (cause) {
      // The file that is open is as good as another one until then, unless its name is gone.
      if (fstatSync(this.#stream.fd).nlink === 0) throw cause;
    }
  }

  async #open(path: string): Promise<void> {
    // sonic-boom closes descriptors twice after an open that failed: it is only asked for what has just worked.
    probeFile(path);
    await this.#until('ready', () => this.#stream.reopen(path));
  }

  readonly #onReady = (): void => {
    this.#path = this.#stream.file ?? this.#path;
    this.#opened = fstatSync(this.#stream.fd);
    this.#onRolled();
  };

  /** Takes away what sonic-boom would do with the old descriptor at the next success: it does so itself then. */
  #forgetReopening(): void {
    this.#stream.removeAllListeners('ready');
    this.#stream.on('ready', this.#onReady);
  }

  #until(event: 'drain' | 'ready', begin: () => void): Promise<void> {
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      const onDone = (): void => {
        stream.off('error', onError);
        resolve();
      };
      const onError = (cause: Error): void => {
        stream.off(event, onDone);
        reject(cause);
      };
      stream.once(event, onDone);
      stream.once('error', onError);
      begin();
    });
  }
}

/**
 * Opens `/dir/app.2026-11-24.1.log` for the base path `/dir/app.log`, or goes on with the last one of today.
 * @param rollBytes size at which the next one begins
 * @throws the system's error when it cannot be opened
 */
export async function openRollingFile(file: string, rollBytes: number): Promise<RollingFile> {
  // Only where we roll: it brings along a calendar of 5 MB.
  const { default: buildRollingFile } = await import('pino-roll');
  const stream = await buildRollingFile({
    file,
    frequency: 'daily',
    dateFormat: 'yyyy-MM-dd',
    size: `${rollBytes}b`,
    mode: FILE_MODE,
    sync: false,
  });
  await once(stream, 'ready');
  return new RollingFile(stream);
}
