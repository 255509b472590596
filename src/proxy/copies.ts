// Copies of what a socket has read, for as long as another one takes to write them. Their memory is used again: left
// to the garbage collector, of which a big answer gives little cause to run, tens of megabytes wait for it.
import { READ_BYTES } from './upstream-connector.ts';

/** How many are kept for later; more than these are under way only while many clients read slowly. */
const KEPT = 16;
const kept: Buffer[] = [];

/** A copy, to be given back with `giveBack` once it has been written; if it never is, nothing but memory is lost. */
export function copyOf(chunk: Buffer): Buffer {
  if (chunk.length > READ_BYTES) return Buffer.from(chunk);
  const memory = kept.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
  return memory.subarray(0, chunk.copy(memory));
}

/** @param copy of `copyOf`; not to be used any more */
export function giveBack(copy: Buffer): void {
  if (kept.length < KEPT && copy.buffer.byteLength === READ_BYTES) kept.push(Buffer.from(copy.buffer));
}
