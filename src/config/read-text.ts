// Reads a small text file whole, with a sentence for everything that can be wrong with it.
// What the text means, and whether a missing file is a fault, is up to the caller.
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { codeOf, messageOf } from '../errors.ts';
import { explainDenied } from './denied.ts';

/** A file's text, permission bits and whether it belongs to our user, or why there are none. */
export type TextFile =
  | { readonly text: string; readonly mode: number; readonly isOurs: boolean }
  | { readonly fault: string; readonly code: string | undefined };

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: part of its path is not a folder',
  EISDIR: 'is a folder, not a file',
};

/** Reads a UTF-8 file (a byte order mark is dropped) of at most `maxBytes`. */
export function readText(path: string, maxBytes: number): TextFile {
  try {
    const { bytes, mode, isOurs } = readWhole(path, maxBytes);
    if (bytes === undefined) {
      return { fault: `is larger than ${maxBytes} bytes`, code: 'EFBIG' };
    }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), mode, isOurs };
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EACCES') return { fault: `cannot be read: permission denied${explainDenied(path)}`, code };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: 'is not UTF-8 text', code };
    return { fault: EXPLANATIONS[code ?? ''] ?? `cannot be read: ${messageOf(cause)}`, code };
  }
}

/** Mode and bytes come from one open file, so that they belong together. */
function readWhole(
  path: string,
  maxBytes: number,
): { bytes: Buffer | undefined; mode: number; isOurs: boolean } {
  const descriptor = openSync(path, 'r');
  try {
    const stats = fstatSync(descriptor);
    // A folder's size says nothing: reading it is what fails, with EISDIR.
    const isTooLarge = stats.isFile() && stats.size > maxBytes;
    const bytes = isTooLarge ? undefined : readFileSync(descriptor);
    const isSmall = bytes !== undefined && bytes.length <= maxBytes;
    return { bytes: isSmall ? bytes : undefined, mode: stats.mode, isOurs: stats.uid === process.getuid?.() };
  } finally {
    closeSync(descriptor);
  }
}
