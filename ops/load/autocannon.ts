// A load run by autocannon, which npm installs with the development dependencies.
import autocannon from 'autocannon';
import type { Load, Measured, Recipe } from './recipes.ts';

export async function runAutocannon(
  { method, path, body }: Recipe,
  { origin, requests, concurrency }: Load,
): Promise<Measured> {
  const result = await autocannon({
    url: `${origin}${path}`,
    method,
    connections: concurrency,
    amount: requests,
    timeout: 600,
    ...(body === null ? {} : { body, headers: { 'content-type': 'application/json' } }),
  });
  return {
    requestsPerSecond: requests / Math.max(result.duration, 0.001),
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.non2xx + result.errors + result.timeouts,
  };
}
