// The worker's view of the credentials: leases one per attempt from the latest snapshot, without asking anyone.
// Cooldowns are decided by the ledger in the primary; until its answer comes, this worker avoids what it saw fail.
import { affinitySeed, pickByAffinity } from './affinity.ts';
import type { PooledCredential, PoolSnapshot, Suspension, SuspensionReason } from './snapshot.ts';

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
  /** Current weight of smooth weighted round-robin; survives snapshots, so that the order does too. */
  current: number;
}

interface LocalSuspension {
  readonly suspension: Suspension;
  /** Number of the report that told the primary; gone once a snapshot acknowledges it. */
  readonly report: number;
}

const NOBODY: readonly string[] = [];
const NO_PROBES: ReadonlyMap<Entry, Suspension> = new Map();

/** Smooth weighted round-robin (nginx's algorithm) over the credentials that are available right now. */
export class Pool {
  readonly #slot: number;
  readonly #worker: number;
  #version = -1;
  #entries: Entry[] = [];
  /** Whether any entry has one. */
  #hasSuspensions = false;
  #local = new Map<string, LocalSuspension[]>();
  /** By credential and model: the grant last used, so that each is used once. */
  readonly #usedGrants = new Map<string, number>();

  /**
   * @param slot this worker's slot: decides where its rotation starts
   * @param worker its id: tells which probe grants are its own
   */
  constructor(slot: number, worker: number) {
    this.#slot = slot;
    this.#worker = worker;
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
    const isCooled = (entry: Entry): boolean => this.#holding(entry, null).some(({ until }) => until > now);
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
    this.#hasSuspensions = this.#entries.some(({ credential }) => credential.suspensions.length > 0);
    for (const [id, suspensions] of this.#local) {
      const left = suspensions.filter((local) => local.report > acknowledged);
      if (left.length === 0) this.#local.delete(id);
      else this.#local.set(id, left);
    }
    this.#forgetGrants();
    if (isFirst) this.#stagger();
  }

  /** Leases the next credential, or says when one will be back. */
  lease(request: LeaseRequest, now: number): Lease | NoLease {
    if (request.excluded.length === 0 && this.#isUntroubled()) return this.#leaseFromAll(request, now);
    const available: Entry[] = [];
    const probes = new Map<Entry, Suspension>();
    for (const entry of this.#entries) {
      if (request.excluded.includes(entry.credential.id)) continue;
      const standing = this.#standing(entry, request.model, now);
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

  /** No credential is suspended, for any model. */
  #isUntroubled(): boolean {
    return this.#local.size === 0 && !this.#hasSuspensions;
  }

  /** When `lease` would give one (epoch milliseconds): now, when the soonest throttled one is back, or never. */
  availableAt(request: LeaseRequest, now: number): number | null {
    const isAvailable = (entry: Entry): boolean =>
      !request.excluded.includes(entry.credential.id) && this.#standing(entry, request.model, now) !== 'out';
    return this.#entries.some(isAvailable) ? now : this.#noLease(request, now).retryAt;
  }

  /**
   * Avoids a credential in this worker at once, until a snapshot acknowledges the report about it.
   * A rejected credential stays when it is the last one (the ledger decides the same).
   */
  avoid(lease: Lease, reason: SuspensionReason, until: number, report: number, now: number): void {
    if (reason === 'rejected' && !this.#hasAnother(lease.credentialId, now)) return;
    const model = reason === 'rejected' ? null : lease.model;
    const locals = this.#local.get(lease.credentialId) ?? [];
    locals.push({ suspension: { model, reason, until, probe: null }, report });
    this.#local.set(lease.credentialId, locals);
  }

  #grant(entry: Entry, model: string | null, now: number, probeOf: Suspension | null): Lease {
    if (probeOf?.probe) this.#usedGrants.set(probeKey(entry, probeOf), probeOf.probe.validUntil);
    return {
      credentialId: entry.credential.id,
      name: entry.credential.name,
      authorization: entry.authorization,
      model,
      leasedAt: now,
      probeOf,
    };
  }

  /** `in`, `out`, or the half-open suspension that this worker may probe now. */
  #standing(entry: Entry, model: string | null, now: number): 'in' | 'out' | Suspension {
    const local = this.#local.get(entry.credential.id);
    if (local?.some(({ suspension }) => concerns(suspension, model) && suspension.until > now)) return 'out';
    const holding = entry.credential.suspensions.filter((suspension) => concerns(suspension, model));
    // Leave to probe with any request covers a model's ended suspension: the two grants may be with two workers.
    const gate = holding.find((suspension) => suspension.model === null) ?? holding[0];
    if (gate === undefined) return 'in';
    const isOver = holding.every(({ until }) => until <= now);
    return isOver && this.#mayProbe(entry, gate, now) ? gate : 'out';
  }

  #mayProbe(entry: Entry, suspension: Suspension, now: number): boolean {
    const { probe } = suspension;
    if (probe === null || probe.worker !== this.#worker || probe.validUntil <= now) return false;
    return this.#usedGrants.get(probeKey(entry, suspension)) !== probe.validUntil;
  }

  /** Models come from clients: only grants that the snapshot still holds are worth remembering. */
  #forgetGrants(): void {
    if (this.#usedGrants.size === 0) return;
    const held = new Set<string>();
    for (const entry of this.#entries) {
      for (const suspension of entry.credential.suspensions) held.add(probeKey(entry, suspension));
    }
    for (const key of this.#usedGrants.keys()) if (!held.has(key)) this.#usedGrants.delete(key);
  }

  #hasAnother(id: string, now: number): boolean {
    return this.#entries.some(
      (entry) => entry.credential.id !== id && this.#standing(entry, null, now) === 'in',
    );
  }

  /** With every credential rejected, refusing all work would help nobody: the one that is due soonest is tried. */
  #lastResort(request: LeaseRequest): Entry | undefined {
    if (request.excluded.length > 0) return undefined;
    let soonest: Entry | undefined;
    let soonestUntil = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) {
      const holding = this.#holding(entry, request.model);
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
      const holding = this.#holding(entry, request.model);
      if (!holding.some((suspension) => suspension.reason === 'throttled')) continue;
      const back = Math.max(now, ...holding.map((suspension) => suspension.until));
      if (retryAt === null || back < retryAt) retryAt = back;
    }
    return { retryAt };
  }

  #holding(entry: Entry, model: string | null): Suspension[] {
    const local = this.#local.get(entry.credential.id) ?? [];
    return [...entry.credential.suspensions, ...local.map(({ suspension }) => suspension)].filter(
      (suspension) => concerns(suspension, model),
    );
  }

  /** Lets workers start at different places, so that many idle workers do not all begin with the first one. */
  #stagger(): void {
    const request = { model: null, affinityKey: null, excluded: NOBODY };
    for (let turn = 0; turn < this.#slot; turn += 1) this.lease(request, 0);
  }
}

function concerns(suspension: Suspension, model: string | null): boolean {
  return suspension.model === null || suspension.model === model;
}

function probeKey({ credential }: Entry, { model }: Suspension): string {
  return model === null ? credential.id : `${credential.id} ${model}`;
}

/** A half-open credential is probed by the next request, but never takes a conversation that is not its own. */
function pick(
  available: readonly Entry[],
  probes: ReadonlyMap<Entry, Suspension>,
  key: string | null,
): Entry | undefined {
  if (key !== null) return pickByAffinity(available, key);
  for (const entry of probes.keys()) return entry;
  return pickSmoothly(available);
}

function pickSmoothly(entries: readonly Entry[]): Entry | undefined {
  let total = 0;
  let best: Entry | undefined;
  for (const entry of entries) {
    entry.current += entry.weight;
    total += entry.weight;
    if (best === undefined || entry.current > best.current) best = entry;
  }
  if (best !== undefined) best.current -= total;
  return best;
}
