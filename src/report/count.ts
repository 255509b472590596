// Counts log files in threads, as many at a time as there are processors, and puts the counts together.
import { Threads } from '../threads.ts';
import { partsOf } from './parts.ts';
import { type ScanResult, type ScanTask, scanStream } from './scan.ts';
import { emptyTally, mergeTally, type Tally } from './tally.ts';

export interface CountOptions {
  readonly files: readonly string[];
  /** Lines that come without a file, such as standard input; null when there are none. */
  readonly input: AsyncIterable<Buffer> | null;
  /** ISO-8601 in UTC; empty for all. */
  readonly since: string;
  /** Compiled workers/scan-log.ts. */
  readonly taskFile: string;
  readonly threads: number;
  /** Told the share of bytes that is done, from 0 to 1. */
  onProgress(share: number): void;
}

export interface Count {
  readonly tally: Tally;
  /** Files, and standard input. */
  readonly sources: number;
  /** Of files as they are on disk, and of standard input. */
  readonly bytes: number;
  /** Files that could not be read, or not to their end; one sentence each. */
  readonly problems: readonly string[];
}

export async function countLogs({
  files,
  input,
  since,
  taskFile,
  threads,
  onProgress,
}: CountOptions): Promise<Count> {
  const { parts, problems, bytes } = partsOf(files);
  const whole = { beginsInside: false, length: Number.POSITIVE_INFINITY, since };
  const ofInput = input === null ? null : await scanStream(input, whole);
  const tally = ofInput?.tally ?? emptyTally();
  const found = [...problems];
  let done = 0;
  const pool = new Threads<ScanTask, ScanResult>(taskFile, 0, threads);
  const scan = async (part: (typeof parts)[number]): Promise<ScanResult> => {
    const result = await pool.run('scanPart', { ...part, since });
    done += part.end - part.start;
    onProgress(done / bytes);
    return result;
  };
  try {
    // In their order, so that the same files always give the same report.
    for (const { tally: more, problem } of await Promise.all(parts.map(scan))) {
      mergeTally(tally, more);
      if (problem !== null) found.push(problem);
    }
  } finally {
    await pool.close();
  }
  if (ofInput !== null && ofInput.problem !== null) found.push(`standard input: ${ofInput.problem}`);
  const sources = files.length + (input === null ? 0 : 1);
  return { tally, sources, bytes: bytes + (ofInput?.bytes ?? 0), problems: found };
}
