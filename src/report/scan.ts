// Counts the lines of one part of a log file, plain or gzipped. Runs in a thread.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../errors.ts';
import { LineCutter } from './line-cutter.ts';
import { addLine, emptyTally, type Tally } from './tally.ts';

/** What one thread does at a time. */
export interface Part {
  readonly file: string;
  /** Bytes on disk, of which this part takes in `start` to before `end`; a gzipped file is one part. */
  readonly start: number;
  readonly end: number;
  readonly isGzipped: boolean;
}

export interface ScanTask extends Part {
  /** ISO-8601 in UTC; older lines do not count. Empty for all. */
  readonly since: string;
}

export interface ScanResult {
  readonly tally: Tally;
  /** Why the rest could not be read; null when all was. */
  readonly problem: string | null;
  /** Of what was read, unpacked. */
  readonly bytes: number;
}

interface StreamPart {
  readonly beginsInside: boolean;
  readonly length: number;
  readonly since: string;
}

const CHUNK_BYTES = 1024 * 1024;

/** Never rejects: what was counted before a fault is worth having. */
export async function scanPart({ file, start, end, isGzipped, since }: ScanTask): Promise<ScanResult> {
  // One byte before tells whether a line begins at the start.
  const before = start === 0 ? 0 : 1;
  const source = createReadStream(file, { start: start - before, highWaterMark: CHUNK_BYTES });
  const content = isGzipped ? source.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : source;
  source.once('error', (cause) => content.destroy(cause));
  const length = isGzipped ? Number.POSITIVE_INFINITY : end - start + before;
  const result = await scanStream(content, { beginsInside: before === 1, length, since });
  source.destroy();
  return result.problem === null ? result : { ...result, problem: `${file}: ${result.problem}` };
}

/** Counts lines as they come; never rejects either. */
export async function scanStream(
  content: AsyncIterable<Buffer>,
  { since, ...range }: StreamPart,
): Promise<ScanResult> {
  const tally = emptyTally();
  let bytes = 0;
  const cutter = new LineCutter({
    ...range,
    onLine: (text) => addLine(tally, text, since),
    onEndless: () => {
      tally.lines += 1;
      tally.brokenLines += 1;
    },
  });
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      cutter.push(chunk);
      if (cutter.isDone) break;
    }
    cutter.finish();
    return { tally, bytes, problem: null };
  } catch (cause) {
    return { tally, bytes, problem: messageOf(cause) };
  }
}
