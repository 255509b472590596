// How long a credential stays out after a failure. Pure: takes the past and `now`, decides, touches nothing.
import type { SuspensionReason } from './snapshot.ts';

/** One answer of the upstream that spoke against a credential, as a worker saw it. */
export interface CredentialFailure {
  readonly credentialId: string;
  readonly model: string | null;
  readonly reason: SuspensionReason;
  /** HTTP status of the answer. */
  readonly status: number;
  /** What the upstream asked for in Retry-After or retry-after-ms, in milliseconds; null when it did not. */
  readonly retryAfterMs: number | null;
  /** When the attempt got its lease, epoch milliseconds: tells a late failure of a burst from a new one. */
  readonly leasedAt: number;
}

/** What the ledger remembers of a credential's failures, for all models or for one. */
export interface CooldownRecord {
  readonly reason: SuspensionReason;
  readonly failures: number;
  readonly since: number;
  readonly until: number;
}

const FIRST_MS = { rejected: 30_000, throttled: 5_000 } as const;
const LONGEST_MS = 600_000;
/** A Retry-After beyond a day is taken for a day: nobody means to bench a credential for longer by a header. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;

/** Cooldown of the nth failure in a row: doubles from 30 s (rejected) or 5 s (throttled) up to 10 minutes. */
export function cooldownMs(reason: SuspensionReason, failures: number, retryAfterMs: number | null): number {
  if (reason === 'throttled' && retryAfterMs !== null) {
    return Math.min(Math.max(retryAfterMs, 0), LONGEST_RETRY_AFTER_MS);
  }
  return Math.min(FIRST_MS[reason] * 2 ** Math.min(failures - 1, 20), LONGEST_MS);
}

/**
 * The record after a failure. An attempt that was leased before the present cooldown ended was leased by someone who
 * had not heard of it: its failure belongs to the same burst and counts no second time, though its Retry-After, or its
 * being a rejection among throttlings, may still lengthen the cooldown. No failure ever shortens one.
 */
export function afterFailure(
  previous: CooldownRecord | undefined,
  failure: CredentialFailure,
  now: number,
): CooldownRecord {
  const { reason, retryAfterMs } = failure;
  const isSameBurst = previous !== undefined && failure.leasedAt < previous.until;
  if (isSameBurst) {
    const isNews = retryAfterMs !== null || reason !== previous.reason;
    const until = isNews ? now + cooldownMs(reason, previous.failures, retryAfterMs) : 0;
    return until > previous.until ? { ...previous, reason, until } : previous;
  }
  const failures = (previous?.failures ?? 0) + 1;
  const until = Math.max(previous?.until ?? 0, now + cooldownMs(reason, failures, retryAfterMs));
  return { reason, failures, since: now, until };
}
