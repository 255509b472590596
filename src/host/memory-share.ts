// How much memory a worker may take when the settings leave that to us: its share of what the machine, or the cgroup
// around us, has.
import { totalmem } from 'node:os';
import { memoryLimitBytes, type ReadFile, readOrNull } from './cgroup.ts';

/** Limits of one worker; a setting in the place of `auto`. */
export interface MemoryLimits {
  /** Beyond it a worker is replaced in good order. */
  readonly softBytes: number;
  /** Beyond it a worker is killed. */
  readonly hardBytes: number;
  /** Of V8's heap. */
  readonly heapBytes: number;
}

export type AskedMemory = { readonly [Limit in keyof MemoryLimits]: number | 'auto' };

const MB = 1024 * 1024;
/** The rest is for the system, and for workers that drain. */
const PART_FOR_US = 0.8;
/** An idle worker has about 75 MB; less than these would be no limit but an ending. */
const LEAST_HARD_BYTES = 256 * MB;
const LEAST_SOFT_BYTES = 192 * MB;
const LEAST_HEAP_BYTES = 96 * MB;
/** A longer heap makes for longer pauses, and no exchange needs it. */
const MOST_HEAP_BYTES = 4096 * MB;

/**
 * Fills in what is `auto`: the hard limit is an equal share for each worker and the primary, the soft one three
 * quarters of it, the heap as much, but 4 GB at most.
 */
export function memoryLimits(
  asked: AskedMemory,
  workers: number,
  totalBytes: number = totalmem(),
  read: ReadFile = readOrNull,
): MemoryLimits {
  const share = (Math.min(totalBytes, memoryLimitBytes(read)) * PART_FOR_US) / (workers + 1);
  const hardBytes = given(asked.hardBytes, Math.max(LEAST_HARD_BYTES, share));
  const softBytes = given(asked.softBytes, Math.max(LEAST_SOFT_BYTES, hardBytes * 0.75));
  const heap = Math.min(MOST_HEAP_BYTES, Math.max(LEAST_HEAP_BYTES, hardBytes * 0.75));
  return { softBytes, hardBytes, heapBytes: given(asked.heapBytes, heap) };
}

function given(asked: number | 'auto', otherwise: number): number {
  return Math.floor(asked === 'auto' ? otherwise : asked);
}
