// One batch of lines on its way into a descriptor: knows how far it got, so that a write which stopped in the middle of
// a line can go on there.
import { write } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../errors.ts';

const NEWLINE = 0x0a;
/** The reader of a pipe gets this long to make room. */
const AGAIN_MS = 10;

export class PendingBytes {
  readonly #bytes: Buffer;
  #written = 0;

  constructor(lines: string) {
    this.#bytes = Buffer.from(lines);
  }

  /** Rejects with the system's error; what has been written by then is not written again. */
  async writeTo(descriptor: number): Promise<void> {
    while (this.#written < this.#bytes.length) {
      const written = await writeSome(descriptor, this.#bytes, this.#written);
      if (written === 0) await pause(AGAIN_MS, undefined, { ref: false });
      this.#written += written;
    }
  }

  /** The line that is half written is written whole to whatever comes next. */
  rewindToLineStart(): void {
    this.#written = this.#written === 0 ? 0 : this.#bytes.lastIndexOf(NEWLINE, this.#written - 1) + 1;
  }
}

function writeSome(descriptor: number, bytes: Buffer, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, from, bytes.length - from, null, (cause, written) => {
      if (cause === null) resolve(written);
      else if (codeOf(cause) === 'EAGAIN') resolve(0);
      else reject(cause);
    });
  });
}
