// How long a request may wait for a credential that is about to come back, instead of being told to. Pure.

/** How soon to look again for a credential that is due: the primary's leave to probe it takes a moment. */
const LOOK_AGAIN_MS = 25;

/** A request that no credential can be leased for now. */
export interface Waiting {
  /** When the soonest is back (epoch milliseconds); null when none will be. */
  readonly retryAt: number | null;
  /** How long the request has been here, in milliseconds. */
  readonly waitedMs: number;
  /** How long it may. */
  readonly mostMs: number;
}

/** Milliseconds until it is worth looking again; null when that is too long. */
export function throttleWait({ retryAt, waitedMs, mostMs }: Waiting, now: number): number | null {
  if (retryAt === null) return null;
  const waitMs = Math.max(LOOK_AGAIN_MS, retryAt - now);
  return waitedMs + waitMs <= mostMs ? waitMs : null;
}
