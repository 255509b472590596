// What an operator hears of a log that cannot be written: it goes to standard error, once a minute at most.
import { write } from 'node:fs';

const STDERR = 2;
const WARN_EVERY_MS = 60_000;

/** Writes a text somewhere and calls back when it is out, or cannot be. */
export type Say = (text: string, onDone: () => void) => void;

/**
 * @param what cannot be written, and `target` where to; both as the sentence wants them
 * @param clock in ms
 */
export function complainer(
  what: string,
  target: string,
  say: Say = toStandardError,
  clock: () => number = () => performance.now(),
): (cause: Error) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  let isWriting = false;
  return (cause) => {
    const now = clock();
    if (isWriting || now - lastAt < WARN_EVERY_MS) return;
    lastAt = now;
    isWriting = true;
    // Never waited for: it may end in the same pipe that nobody reads.
    say(`flow-proxy: ${what} cannot be written to ${target} (${cause.message}); serving goes on\n`, () => {
      isWriting = false;
    });
  };
}

function toStandardError(text: string, onDone: () => void): void {
  write(STDERR, text, onDone);
}
