// A worker of the simulation: leases from its pool, hears the upstream's answer later, reports as src/proxy does.
import assert from 'node:assert/strict';
import type { CredentialFailure } from '../../../src/credentials/cooldown.ts';
import { type Lease, Pool } from '../../../src/credentials/pool.ts';
import type { PoolSnapshot } from '../../../src/credentials/snapshot.ts';
import { wanting } from './sample-pool.ts';

export const MODELS: readonly (string | null)[] = [null, 'm', 'n'];

export type Mood = 'fine' | 'rejecting' | 'throttling' | 'throttlingOne' | 'broken';

/** The world a worker lives in. */
export interface World {
  readonly now: number;
  readonly random: () => number;
  readonly moods: ReadonlyMap<string, Mood>;
  after(delayMs: number, action: () => void): void;
  /** How long a message takes. */
  delay(): number;
  assertMayLease(credentialId: string, model: string | null, isLastResort: boolean): void;
  probeBegins(credentialId: string, model: string | null): void;
  probeEnds(credentialId: string, model: string | null): void;
  receive(worker: SimulatedWorker, report: Report): void;
}

export type Report =
  | { readonly type: 'failed'; readonly number: number; readonly failure: CredentialFailure }
  | { readonly type: 'probeStarted'; readonly credentialId: string; readonly model: string | null }
  | {
      readonly type: 'probeEnded';
      readonly credentialId: string;
      readonly model: string | null;
      readonly hasRecovered: boolean;
    }
  | { readonly type: 'died' };

const AVOID_MS = 5_000;

export class SimulatedWorker {
  readonly slot: number;
  /** What the primary knows it has heard of this worker. */
  acknowledged = 0;
  readonly #world: World;
  readonly #pool: Pool;
  readonly #probes = new Set<Lease>();
  #isAlive = true;
  #reports = 0;
  #lastArrival = { here: 0, there: 0 };

  constructor(slot: number, world: World) {
    this.slot = slot;
    this.#world = world;
    this.#pool = new Pool(slot, slot);
  }

  /** A snapshot is on its way. */
  deliver(snapshot: PoolSnapshot): void {
    const { acknowledged } = this;
    this.#arrive('here', () => {
      if (this.#isAlive) this.#pool.apply(snapshot, acknowledged);
    });
  }

  die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const { credentialId, probeOf } of this.#probes) {
      this.#world.probeEnds(credentialId, probeOf?.model ?? null);
    }
    this.#send({ type: 'died' });
  }

  /** Sends requests for ever. */
  work(): void {
    if (!this.#isAlive) return;
    this.#request();
    this.#world.after(this.#world.random() * 400, () => this.work());
  }

  #request(): void {
    const { random, now } = this.#world;
    const model = MODELS[Math.floor(random() * MODELS.length)] ?? null;
    const affinityKey = random() < 0.5 ? `session-${Math.floor(random() * 50)}` : null;
    const isLastResort = this.#pool.availableAt(wanting({}), now) !== now;
    const lease = this.#pool.lease(wanting({ model, affinityKey }), now);
    if (!('credentialId' in lease)) {
      assert.ok(lease.retryAt !== null && lease.retryAt >= now, 'a refusal says when to come back');
      return;
    }
    this.#world.assertMayLease(lease.credentialId, model, isLastResort);
    if (lease.probeOf !== null) this.#startProbe(lease, lease.probeOf.model);
    const latencyMs = random() < 0.05 ? 30_000 * random() : 2_000 * random();
    this.#world.after(latencyMs, () => {
      if (this.#isAlive) this.#settle(lease);
    });
  }

  #startProbe(lease: Lease, model: string | null): void {
    this.#world.probeBegins(lease.credentialId, model);
    this.#probes.add(lease);
    this.#send({ type: 'probeStarted', credentialId: lease.credentialId, model });
  }

  #settle(lease: Lease): void {
    const { random, moods } = this.#world;
    const mood = moods.get(lease.credentialId);
    if (mood === 'rejecting') this.#fail(lease, 'rejected', null);
    else if (mood === 'throttling' || (mood === 'throttlingOne' && lease.model === 'm')) {
      this.#fail(lease, 'throttled', random() < 0.5 ? Math.floor(random() * 20_000) : null);
    } else this.#endProbe(lease, mood !== 'broken' && random() > 0.05);
  }

  #fail(lease: Lease, reason: CredentialFailure['reason'], retryAfterMs: number | null): void {
    const { now } = this.#world;
    const { credentialId, model, leasedAt } = lease;
    if (this.#probes.delete(lease)) this.#world.probeEnds(credentialId, lease.probeOf?.model ?? null);
    this.#reports += 1;
    const status = reason === 'rejected' ? 401 : 429;
    const failure = { credentialId, model, reason, status, retryAfterMs, leasedAt };
    this.#send({ type: 'failed', number: this.#reports, failure });
    this.#pool.avoid(lease, reason, now + AVOID_MS, this.#reports, now);
  }

  #endProbe(lease: Lease, hasRecovered: boolean): void {
    if (!this.#probes.delete(lease)) return;
    const { credentialId, probeOf } = lease;
    const model = probeOf?.model ?? null;
    this.#world.probeEnds(credentialId, model);
    this.#send({ type: 'probeEnded', credentialId, model, hasRecovered });
  }

  #send(report: Report): void {
    this.#arrive('there', () => this.#world.receive(this, report));
  }

  /** Messages take their time but keep their order. */
  #arrive(where: 'here' | 'there', action: () => void): void {
    const { now } = this.#world;
    const at = Math.max(this.#lastArrival[where], now + this.#world.delay());
    this.#lastArrival[where] = at;
    this.#world.after(at - now, action);
  }
}
