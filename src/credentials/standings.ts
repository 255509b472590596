// How each credential stands with this worker: what the latest snapshot holds against it, what the worker itself saw
// fail since, and whether its leave to probe is still to be used. Which one is leased is the pool's.
import type { PooledCredential, Suspension } from './snapshot.ts';

/** `in`, `out`, or the half-open suspension that this worker may probe now. */
export type Standing = 'in' | 'out' | Suspension;

interface LocalSuspension {
  readonly suspension: Suspension;
  /** Number of the report that told the primary; gone once a snapshot acknowledges it. */
  readonly report: number;
}

/** What is held against credentials. Every method that takes `now` wants epoch milliseconds. */
export class Standings {
  readonly #worker: number;
  /** Whether the snapshot holds anything against any credential. */
  #hasSuspensions = false;
  readonly #local = new Map<string, LocalSuspension[]>();
  /** By credential and model: the grant last used, so that each is used once. */
  readonly #usedGrants = new Map<string, number>();

  /** @param worker id of this worker: tells which probe grants are its own */
  constructor(worker: number) {
    this.#worker = worker;
  }

  /** No credential is suspended, for any model. */
  get isUntroubled(): boolean {
    return this.#local.size === 0 && !this.#hasSuspensions;
  }

  /**
   * Takes over the credentials of a snapshot.
   * @param acknowledged the last of this worker's failure reports that the snapshot takes into account
   */
  apply(credentials: readonly PooledCredential[], acknowledged: number): void {
    this.#hasSuspensions = credentials.some(({ suspensions }) => suspensions.length > 0);
    for (const [id, suspensions] of this.#local) {
      const left = suspensions.filter((local) => local.report > acknowledged);
      if (left.length === 0) this.#local.delete(id);
      else this.#local.set(id, left);
    }
    this.#forgetGrants(credentials);
  }

  /** Suspends a credential in this worker, until a snapshot acknowledges the report about it. */
  suspend(credentialId: string, suspension: Suspension, report: number): void {
    const locals = this.#local.get(credentialId) ?? [];
    locals.push({ suspension, report });
    this.#local.set(credentialId, locals);
  }

  /** How a credential stands for a request of a model. */
  of(credential: PooledCredential, model: string | null, now: number): Standing {
    const local = this.#local.get(credential.id);
    if (local?.some(({ suspension }) => concerns(suspension, model) && suspension.until > now)) return 'out';
    const holding = credential.suspensions.filter((suspension) => concerns(suspension, model));
    // Leave to probe with any request covers a model's ended suspension: the two grants may be with two workers.
    const gate = holding.find((suspension) => suspension.model === null) ?? holding[0];
    if (gate === undefined) return 'in';
    const isOver = holding.every(({ until }) => until <= now);
    return isOver && this.#mayProbe(credential, gate, now) ? gate : 'out';
  }

  /** All that is held against a credential for a request of a model, whether its time is over or not. */
  holding(credential: PooledCredential, model: string | null): Suspension[] {
    const local = this.#local.get(credential.id) ?? [];
    return [...credential.suspensions, ...local.map(({ suspension }) => suspension)].filter((suspension) =>
      concerns(suspension, model),
    );
  }

  /** A credential is leased to test the end of a suspension: the leave to do so is used up. */
  useGrant(credential: PooledCredential, suspension: Suspension): void {
    const { probe } = suspension;
    if (probe !== null) this.#usedGrants.set(probeKey(credential, suspension), probe.validUntil);
  }

  #mayProbe(credential: PooledCredential, suspension: Suspension, now: number): boolean {
    const { probe } = suspension;
    if (probe === null || probe.worker !== this.#worker || probe.validUntil <= now) return false;
    return this.#usedGrants.get(probeKey(credential, suspension)) !== probe.validUntil;
  }

  /** Models come from clients: only grants that the snapshot still holds are worth remembering. */
  #forgetGrants(credentials: readonly PooledCredential[]): void {
    if (this.#usedGrants.size === 0) return;
    const held = new Set<string>();
    for (const credential of credentials) {
      for (const suspension of credential.suspensions) held.add(probeKey(credential, suspension));
    }
    for (const key of this.#usedGrants.keys()) if (!held.has(key)) this.#usedGrants.delete(key);
  }
}

function concerns(suspension: Suspension, model: string | null): boolean {
  return suspension.model === null || suspension.model === model;
}

function probeKey({ id }: PooledCredential, { model }: Suspension): string {
  return model === null ? id : `${id} ${model}`;
}
