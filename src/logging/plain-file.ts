// One plain log file that others rotate, as logrotate does. Lines go to the file that was opened until we are told to
// reopen, or until somebody has put another file in its place: a reader that follows the name misses nothing then, but
// for what is on its way to the old one at that moment.
import { close, closeSync, constants, fstatSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../errors.ts';
import { makeFolder } from '../host/make-folder.ts';
import type { Outlet } from './line-queue.ts';
import { PendingBytes } from './pending-bytes.ts';

export const FILE_MODE = 0o640;

export class PlainFile implements Outlet {
  readonly #path: string;
  #descriptor: number;
  #opened: Stats;
  #pending: PendingBytes = new PendingBytes('');

  /** @throws the system's error when the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openFile(path);
    this.#opened = fstatSync(this.#descriptor);
  }

  write(lines: string): Promise<void> {
    this.#pending = new PendingBytes(lines);
    return this.retry();
  }

  async retry(): Promise<void> {
    this.#follow();
    await this.#pending.writeTo(this.#descriptor);
  }

  async reopen(): Promise<void> {
    this.#switch();
  }

  /** Looks before every batch whether the file is still ours to write to. */
  #follow(): void {
    const found = lookAt(this.#path);
    if (isSameFile(found, this.#opened)) return;
    const isDeleted = fstatSync(this.#descriptor).nlink === 0;
    // Moved away, with nothing in its place yet: whoever moves it has not finished. logrotate would trip over a file
    // that we make now.
    if (found === undefined && !isDeleted) return;
    try {
      this.#switch();
    } catch (cause) {
      // A file just made by logrotate gets its owner a moment later; the moved one is as good until then.
      if (isDeleted) throw cause;
    }
  }

  #switch(): void {
    const opened = openFile(this.#path);
    const old = this.#descriptor;
    this.#descriptor = opened;
    this.#opened = fstatSync(opened);
    this.#pending.rewindToLineStart();
    // Its last write is over; a file system that reports late errors here has no remedy for them.
    close(old, () => {});
  }
}

/** Makes sure that a log file can be written, making it and its folder where they are missing. */
export function probeFile(path: string): void {
  closeSync(openFile(path));
}

function openFile(path: string): number {
  makeFolder(dirname(path));
  if (lookAt(path)?.isFIFO()) assertIsRead(path);
  return openSync(path, 'a', FILE_MODE);
}

/** Opening a pipe would wait for somebody to read it. */
function assertIsRead(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (cause) {
    throw codeOf(cause) === 'ENXIO' ? new Error('it is a pipe that nobody reads', { cause }) : cause;
  }
}

/** Whether a path leads to the file that was opened; a number alone may be another disk's. */
export function isSameFile(found: Stats | undefined, opened: Stats): boolean {
  return found !== undefined && found.ino === opened.ino && found.dev === opened.dev;
}

/** What a path leads to, if anything that we may see. */
export function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
