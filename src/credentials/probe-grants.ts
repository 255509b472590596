// Who may probe a credential whose cooldown has ended: one worker at a time, in turn, for a moment; those that have a
// request waiting for it come first.
import type { CooldownRecord } from './cooldown.ts';
import type { ProbeGrant } from './snapshot.ts';

/** What is held against a credential, and who may find out whether it still is. */
export interface Cooldown {
  record: CooldownRecord;
  probe: ProbeGrant | null;
  /** While a granted worker's probing exchange is on its way: until when the upstream may refuse it; null else. */
  probeUntil: number | null;
  /** When the next grant is due, unless an exchange is probing. */
  grantAt: number;
}

/** A grant that a worker used at its last moment is heard of within this time. */
const GRANT_MARGIN_MS = 250;

/** Starts with nobody allowed to probe before its end. */
export function newCooldown(record: CooldownRecord): Cooldown {
  return { record, probe: null, probeUntil: null, grantAt: record.until };
}

/** Hands grants around. Every method that takes `now` wants epoch milliseconds. */
export class ProbeGrants {
  readonly #grantMs: number;
  #lastGranted = -1;
  /** Workers that have requests waiting for leave to probe, and until when that is taken to be so. */
  readonly #wanting = new Map<number, number>();

  /** @param grantMs how long a worker may start the probe that it was granted */
  constructor(grantMs: number) {
    this.#grantMs = grantMs;
  }

  /** A worker has a request for which nothing but a credential to be probed is left. */
  want(worker: number, now: number): void {
    this.#wanting.set(worker, now + 2 * this.#grantMs);
  }

  /** A worker is gone. */
  forget(worker: number): void {
    this.#wanting.delete(worker);
  }

  /** Gives the next worker leave to probe. @returns whether there was one; else it is tried again later */
  grant(cooldown: Cooldown, now: number, readyWorkers: readonly number[]): boolean {
    const worker = this.#next(now, readyWorkers);
    if (worker === undefined) {
      cooldown.grantAt = now + this.#grantMs;
      return false;
    }
    this.#lastGranted = worker;
    const validUntil = now + this.#grantMs;
    cooldown.probe = { worker, validUntil };
    cooldown.grantAt = validUntil + GRANT_MARGIN_MS;
    return true;
  }

  /** When the present grant was given; before everything when there is none. */
  grantedAt({ probe }: Cooldown): number {
    return (probe?.validUntil ?? 0) - this.#grantMs;
  }

  /** In turn; only workers that want to, if there are any. */
  #next(now: number, readyWorkers: readonly number[]): number | undefined {
    const wanting = readyWorkers.filter((worker) => (this.#wanting.get(worker) ?? 0) > now);
    const candidates = wanting.length > 0 ? wanting : readyWorkers;
    return candidates.find((candidate) => candidate > this.#lastGranted) ?? candidates[0];
  }
}

/**
 * When a cooldown wants looking at (epoch milliseconds); a late failure may have lengthened it after a grant was given.
 */
export function dueAt({ probeUntil, grantAt, record }: Cooldown): number {
  return probeUntil ?? Math.max(grantAt, record.until);
}

/** Nobody may probe any more; the next grant is due as soon as the cooldown has ended. */
export function withdrawGrant(cooldown: Cooldown): void {
  cooldown.probe = null;
  cooldown.probeUntil = null;
  cooldown.grantAt = cooldown.record.until;
}
