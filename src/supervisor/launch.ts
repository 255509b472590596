// What a worker is started with: settings, and the code that runs. A reload makes a new one aside.
import type { Generation } from '../generation.ts';

export interface Launch {
  readonly generation: Generation;
  /** Compiled workers/proxy-worker.ts. */
  readonly workerFile: string;
  /** Limit of V8's heap. */
  readonly heapBytes: number;
}
