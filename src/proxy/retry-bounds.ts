// What bounds the attempts of one exchange: how many there may be, within which time, and how long it may wait for a
// credential. Whether an outcome is worth another attempt is judge.ts's.
import type { RetrySettings } from '../config/settings.ts';
import type { LeaseRequest } from '../credentials/pool.ts';
import type { Exchange } from './exchange.ts';
import type { Leases } from './leases.ts';
import { throttleWait } from './throttle-wait.ts';

/** What the bounds are looked up in. */
export interface RetryParts {
  readonly leases: Leases;
  readonly retry: RetrySettings;
}

/** The lease for the next attempt: with none of the credentials that were tried. */
export function nextLease({ model, affinityKey }: Exchange, tried: readonly string[]): LeaseRequest {
  return { model, affinityKey, excluded: tried };
}

/** Whether there is room for another attempt, and a credential for it now or after a wait that is allowed. */
export function mayTryAgain(exchange: Exchange, tried: readonly string[], parts: RetryParts): boolean {
  const { leases, retry } = parts;
  const { attempts, startedAt } = exchange;
  if (attempts >= retry.maxAttempts || performance.now() - startedAt > retry.withinMs) return false;
  const availableAt = leases.availableAt(nextLease(exchange, tried));
  const now = Date.now();
  return (
    availableAt !== null && (availableAt <= now || leaseWait(exchange, availableAt, retry, now) !== null)
  );
}

/**
 * Milliseconds until it is worth asking for a lease again; null when the exchange may not wait that long.
 * @param retryAt when the soonest credential is back (epoch milliseconds); null when none will be
 */
export function leaseWait(
  { startedAt }: Exchange,
  retryAt: number | null,
  { throttleWaitMs }: RetrySettings,
  now: number,
): number | null {
  const waitedMs = performance.now() - startedAt;
  return throttleWait({ retryAt, waitedMs, mostMs: throttleWaitMs }, now);
}
