// Reads a file up to a size, whatever it is: a pipe or a device that gives nothing, or no end of it, must not hold up
// who asks for it.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { codeOf } from '../errors.ts';

/** A pipe or a device that has given nothing for too long. */
export class SilentFileError extends Error {}

const PIECE_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 20;
/** For somebody to begin to write to a pipe. */
const WRITER_MS = 1_000;
/** For whoever writes to a pipe, such as bash's `<(…)`: it may ask a person for a passphrase. */
const SILENCE_MS = 60_000;

/**
 * Mode and bytes come from one open file, so that they belong together.
 * @returns at most `maxBytes` and one more, by which a larger file is known
 * @throws the system's error, or SilentFileError
 */
export function readBounded(path: string, maxBytes: number): { bytes: Buffer; stats: Stats } {
  // Otherwise the opening itself waits for somebody who writes to a pipe.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    return { bytes: readAll(descriptor, maxBytes + 1, stats.isFIFO()), stats };
  } finally {
    closeSync(descriptor);
  }
}

function readAll(descriptor: number, limit: number, isPipe: boolean): Buffer {
  const pieces: Buffer[] = [];
  let left = limit;
  while (left > 0) {
    const piece = Buffer.allocUnsafe(Math.min(left, PIECE_BYTES));
    const count = readPatiently(descriptor, piece, isPipe && pieces.length === 0);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    left -= count;
  }
  return Buffer.concat(pieces);
}

/** @param isUntouched a pipe that has not given anything yet: its end may only mean that nobody has begun to write */
function readPatiently(descriptor: number, into: Buffer, isUntouched: boolean): number {
  const begunAt = performance.now();
  for (;;) {
    const count = readSome(descriptor, into);
    if (count !== null && (count > 0 || !isUntouched)) return count;
    const [patienceMs, what] =
      count === null ? [SILENCE_MS, 'gives nothing'] : [WRITER_MS, 'is a pipe that nobody writes to'];
    if (performance.now() - begunAt > patienceMs) throw new SilentFileError(what);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
}

/** null when there is nothing yet. */
function readSome(descriptor: number, into: Buffer): number | null {
  try {
    return readSync(descriptor, into);
  } catch (cause) {
    if (codeOf(cause) === 'EAGAIN') return null;
    throw cause;
  }
}
