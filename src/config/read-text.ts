// Reads a small text file whole, with a sentence for everything that can be wrong with it.
// What the text means, and whether a missing file is a fault, is up to the caller.
import { codeOf, messageOf } from '../errors.ts';
import { explainDenied } from './denied.ts';
import { readBounded, SilentFileError } from './read-bounded.ts';

/** A file's text, permission bits and whether we may change them, or why there are none. */
export type TextFile =
  | { readonly text: string; readonly mode: number; readonly isOurs: boolean }
  | { readonly fault: string; readonly code: string | undefined };

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file: part of its path is not a folder',
  EISDIR: 'is a folder, not a file',
};

/**
 * Reads a file of at most `maxBytes`; a byte order mark is dropped.
 * @param encoding latin1 for what is ASCII but for comments, which may be in anything
 */
export function readText(path: string, maxBytes: number, encoding: 'utf-8' | 'latin1' = 'utf-8'): TextFile {
  try {
    const { bytes, stats } = readBounded(path, maxBytes);
    if (bytes.length > maxBytes) return { fault: `is larger than ${maxBytes} bytes`, code: 'EFBIG' };
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return { text, mode: stats.mode, isOurs: isOwnedByUs(stats.uid) };
  } catch (cause) {
    if (cause instanceof SilentFileError) return { fault: cause.message, code: undefined };
    const code = codeOf(cause);
    if (code === 'EACCES') return { fault: `cannot be read: permission denied${explainDenied(path)}`, code };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { fault: 'is not UTF-8 text', code };
    return { fault: EXPLANATIONS[code ?? ''] ?? `cannot be read: ${messageOf(cause)}`, code };
  }
}

/** To root every file is its own. */
function isOwnedByUs(uid: number): boolean {
  const user = process.getuid?.();
  return user === 0 || user === uid;
}
