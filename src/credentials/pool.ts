// The worker's view of the credentials: leases one per attempt from the latest snapshot, without asking anyone.
// Cooldowns are decided by the ledger in the primary; how each credential stands with this worker is standings.ts's.
import { affinitySeed, pickByAffinity } from './affinity.ts';
import { pickInTurn } from './rotation.ts';
import type { PooledCredential, PoolSnapshot, Suspension, SuspensionReason } from './snapshot.ts';
import { Standings } from './standings.ts';

/** One credential handed out for one attempt. */
export interface Lease {
  readonly credentialId: string;
  readonly name: string;
  /** The value of the Authorization header; a secret. */
  readonly authorization: string;
  readonly model: string | null;
  readonly leasedAt: number;
  /** The suspension whose end this attempt tests, when the credential is half-open. */
  readonly probeOf: Suspension | null;
}

/** What a request says about the credential it wants. */
export interface LeaseRequest {
  readonly model: string | null;
  /** Conversation key: requests with the same key stay on one credential while it is available. */
  readonly affinityKey: string | null;
  /** Credentials this exchange has already tried. */
  readonly excluded: readonly string[];
}

/**
 * No credential can be leased. `retryAt` is when the soonest throttled one is back (epoch ms); null when none is
 * throttled, that is when the pool is empty or the exchange has tried them all.
 */
export interface NoLease {
  readonly retryAt: number | null;
}

interface Entry {
  readonly credential: PooledCredential;
  readonly authorization: string;
  readonly weight: number;
  readonly seed: number;
  /** Of the rotation; survives snapshots, so that the order does too. */
  current: number;
}

const NOBODY: readonly string[] = [];
const NO_PROBES: ReadonlyMap<Entry, Suspension> = new Map();

/** Leases by smooth weighted round-robin, or by conversation, over the credentials that are available right now. */
export class Pool {
  readonly #slot: number;
  readonly #standings: Standings;
  #version = -1;
  #entries: Entry[] = [];

  /**
   * @param slot this worker's slot: decides where its rotation starts
   * @param worker its id: tells which probe grants are its own
   */
  constructor(slot: number, worker: number) {
    this.#slot = slot;
    this.#standings = new Standings(worker);
  }

  /** Version of the snapshot in use; -1 before the first. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#entries.length;
  }

  /**
   * How many credentials are not cooled for every request. Those whose cooldown has ended count: the next request may
   * have to wait a moment for its leave to probe, but it is served.
   */
  countAvailable(now: number): number {
    const isCooled = ({ credential }: Entry): boolean =>
      this.#standings.holding(credential, null).some(({ until }) => until > now);
    return this.#entries.filter((entry) => !isCooled(entry)).length;
  }

  /**
   * Takes over a snapshot unless a newer one is in use already.
   * @param acknowledged the last of this worker's failure reports that the snapshot takes into account
   */
  apply(snapshot: PoolSnapshot, acknowledged: number): void {
    if (snapshot.version <= this.#version) return;
    const isFirst = this.#version < 0;
    const known = new Map(this.#entries.map((entry) => [entry.credential.id, entry]));
    this.#version = snapshot.version;
    this.#entries = snapshot.credentials.map((credential) => ({
      credential,
      authorization: `Bearer ${credential.token}`,
      weight: credential.weight,
      seed: affinitySeed(credential.id),
      current: known.get(credential.id)?.current ?? 0,
    }));
    this.#standings.apply(snapshot.credentials, acknowledged);
    if (isFirst) this.#stagger();
  }

  /** Leases the next credential, or says when one will be back. */
  lease(request: LeaseRequest, now: number): Lease | NoLease {
    if (request.excluded.length === 0 && this.#standings.isUntroubled)
      return this.#leaseFromAll(request, now);
    const available: Entry[] = [];
    const probes = new Map<Entry, Suspension>();
    for (const entry of this.#entries) {
      if (request.excluded.includes(entry.credential.id)) continue;
      const standing = this.#standings.of(entry.credential, request.model, now);
      if (standing === 'out') continue;
      available.push(entry);
      if (standing !== 'in') probes.set(entry, standing);
    }
    const chosen = pick(available, probes, request.affinityKey) ?? this.#lastResort(request);
    if (chosen === undefined) return this.#noLease(request, now);
    return this.#grant(chosen, request.model, now, probes.get(chosen) ?? null);
  }

  /** The usual case, in which nothing has to be asked of each credential. */
  #leaseFromAll(request: LeaseRequest, now: number): Lease | NoLease {
    const chosen = pick(this.#entries, NO_PROBES, request.affinityKey);
    return chosen === undefined ? { retryAt: null } : this.#grant(chosen, request.model, now, null);
  }

  /** When `lease` would give one (epoch milliseconds): now, when the soonest throttled one is back, or never. */
  availableAt(request: LeaseRequest, now: number): number | null {
    const isAvailable = (entry: Entry): boolean =>
      !request.excluded.includes(entry.credential.id) &&
      this.#standings.of(entry.credential, request.model, now) !== 'out';
    return this.#entries.some(isAvailable) ? now : this.#noLease(request, now).retryAt;
  }

  /**
   * Avoids a credential in this worker at once, until a snapshot acknowledges the report about it.
   * A rejected credential stays when it is the last one (the ledger decides the same).
   */
  avoid(lease: Lease, reason: SuspensionReason, until: number, report: number, now: number): void {
    if (reason === 'rejected' && !this.#hasAnother(lease.credentialId, now)) return;
    const model = reason === 'rejected' ? null : lease.model;
    this.#standings.suspend(lease.credentialId, { model, reason, until, probe: null }, report);
  }

  #grant(entry: Entry, model: string | null, now: number, probeOf: Suspension | null): Lease {
    if (probeOf !== null) this.#standings.useGrant(entry.credential, probeOf);
    return {
      credentialId: entry.credential.id,
      name: entry.credential.name,
      authorization: entry.authorization,
      model,
      leasedAt: now,
      probeOf,
    };
  }

  #hasAnother(id: string, now: number): boolean {
    return this.#entries.some(
      ({ credential }) => credential.id !== id && this.#standings.of(credential, null, now) === 'in',
    );
  }

  /** With every credential rejected, refusing all work would help nobody: the one that is due soonest is tried. */
  #lastResort(request: LeaseRequest): Entry | undefined {
    if (request.excluded.length > 0) return undefined;
    let soonest: Entry | undefined;
    let soonestUntil = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      const holding = this.#standings.holding(entry.credential, request.model);
      if (holding.some((suspension) => suspension.reason === 'throttled')) return undefined;
      const until = Math.max(...holding.map((suspension) => suspension.until));
      if (until < soonestUntil) [soonest, soonestUntil] = [entry, until];
    }
    return soonest;
  }

  #noLease(request: LeaseRequest, now: number): NoLease {
    let retryAt: number | null = null;
    for (const entry of this.#entries) {
      if (request.excluded.includes(entry.credential.id)) continue;
      const holding = this.#standings.holding(entry.credential, request.model);
      if (!holding.some((suspension) => suspension.reason === 'throttled')) continue;
      const back = Math.max(now, ...holding.map((suspension) => suspension.until));
      if (retryAt === null || back < retryAt) retryAt = back;
    }
    return { retryAt };
  }

  /** Lets workers start at different places, so that many idle workers do not all begin with the first one. */
  #stagger(): void {
    const request = { model: null, affinityKey: null, excluded: NOBODY };
    for (let turn = 0; turn < this.#slot; turn += 1) this.lease(request, 0);
  }
}

/** A half-open credential is probed by the next request, but never takes a conversation that is not its own. */
function pick(
  available: readonly Entry[],
  probes: ReadonlyMap<Entry, Suspension>,
  key: string | null,
): Entry | undefined {
  if (key !== null) return pickByAffinity(available, key);
  for (const entry of probes.keys()) return entry;
  return pickInTurn(available);
}
