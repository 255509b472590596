// Requests at a steady rate on keep-alive connections; every answer is waited for, so that the count is exact.
import { setTimeout as pause } from 'node:timers/promises';
import { LeanClient } from './lean-http.ts';

const CONNECTIONS = 40;

/** What the load came to. */
export interface LoadResult {
  /** Of every request, answered well or not. */
  readonly requestIds: readonly string[];
  readonly failed: number;
  readonly tookMs: number;
}

/**
 * @param rate requests a second; a slow machine takes longer for all of them
 * @param signal ends it before its time
 */
export async function steadyLoad(
  url: string,
  rate: number,
  seconds: number,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const began = performance.now();
  const requestIds: string[] = [];
  let failed = 0;
  const everyMs = (CONNECTIONS * 1_000) / rate;
  const client = async (): Promise<void> => {
    const connection = new LeanClient(url);
    for (let sent = 0; sent < (rate * seconds) / CONNECTIONS; sent += 1) {
      const early = began + sent * everyMs - performance.now();
      if (early > 0) await pause(early);
      if (signal?.aborted) break;
      const { status, requestId } = await connection.get();
      if (status !== 200) failed += 1;
      requestIds.push(requestId);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  return { requestIds, failed, tookMs: performance.now() - began };
}
