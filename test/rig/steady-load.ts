// Requests at a steady rate on keep-alive connections; every answer is waited for, so that the count is exact.
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../harness/http-call.ts';

const CONNECTIONS = 40;

/** What the load came to. */
export interface LoadResult {
  /** Of every request, answered well or not. */
  readonly requestIds: readonly string[];
  readonly failed: number;
}

/**
 * @param rate requests a second; on a slow machine fewer are sent, never more
 * @param signal ends it before its time
 */
export async function steadyLoad(
  url: string,
  rate: number,
  seconds: number,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const requestIds: string[] = [];
  let failed = 0;
  const end = performance.now() + seconds * 1_000;
  const everyMs = (CONNECTIONS * 1_000) / rate;
  const client = async (): Promise<void> => {
    for (let next = performance.now(); next < end; next += everyMs) {
      const early = next - performance.now();
      if (early > 0) await pause(early);
      if (performance.now() > end || signal?.aborted) return;
      const { status, headers } = await call(url, { agent });
      if (status !== 200) failed += 1;
      requestIds.push(String(headers['x-request-id']));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  return { requestIds, failed };
}
