// Divides log files into parts that threads can take on side by side. A gzipped file is one: it reads only from its
// beginning.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf } from '../errors.ts';
import type { Part } from './scan.ts';

const PART_BYTES = 16 * 1024 * 1024;
const GZIP_MAGIC = 0x1f8b;

/** The parts of all files that can be read, and why others cannot. */
export interface Parts {
  readonly parts: readonly Part[];
  readonly problems: readonly string[];
  readonly bytes: number;
}

export function partsOf(files: readonly string[]): Parts {
  const parts: Part[] = [];
  const problems: string[] = [];
  let bytes = 0;
  for (const file of files) {
    try {
      const { size, isGzipped } = look(file);
      bytes += size;
      parts.push(...divide(file, size, isGzipped));
    } catch (cause) {
      problems.push(`${file}: ${messageOf(cause)}`);
    }
  }
  return { parts, problems, bytes };
}

function divide(file: string, size: number, isGzipped: boolean): Part[] {
  if (isGzipped) return [{ file, start: 0, end: size, isGzipped }];
  const parts: Part[] = [];
  for (let start = 0; start < size; start += PART_BYTES) {
    parts.push({ file, start, end: Math.min(start + PART_BYTES, size), isGzipped });
  }
  return parts;
}

function look(file: string): { size: number; isGzipped: boolean } {
  const descriptor = openSync(file, 'r');
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new Error('is not a file');
    const magic = Buffer.alloc(2);
    readSync(descriptor, magic, 0, 2, 0);
    return { size: stats.size, isGzipped: magic.readUInt16BE() === GZIP_MAGIC };
  } finally {
    closeSync(descriptor);
  }
}
