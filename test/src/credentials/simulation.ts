// A service in simulated time: workers with their own pools, one ledger, messages that take their time, an upstream
// that misbehaves at random, workers that die. It checks what must hold at every step.
import assert from 'node:assert/strict';
import { LEDGER_TIMES, Ledger } from '../../../src/credentials/ledger.ts';
import type { PoolSnapshot } from '../../../src/credentials/snapshot.ts';
import type { Transition } from '../../../src/credentials/transition.ts';
import { entryOf, randomOf } from './sample-pool.ts';
import { MODELS, type Mood, type Report, SimulatedWorker, type World } from './simulated-worker.ts';

const MOODS: readonly Mood[] = ['fine', 'fine', 'rejecting', 'throttling', 'throttlingOne', 'broken'];
const LONGEST_DELAY_MS = 100;

export interface Span {
  readonly workers: number;
  readonly credentials: number;
  readonly seed: number;
}

export class Simulation implements World {
  now: number = 0;
  readonly random: () => number;
  readonly moods: Map<string, Mood> = new Map();
  readonly ledger: Ledger;
  readonly recovered: string[] = [];
  readonly #workers: SimulatedWorker[] = [];
  readonly #queue = new Map<number, (() => void)[]>();
  /** By credential and model: until when it must not be in again. */
  readonly #untils = new Map<string, number>();
  /** What workers have been told, and when. */
  readonly #records = new Map<string, { readonly at: number; readonly until: number }>();
  readonly #probing = new Set<string>();
  #snapshot: PoolSnapshot;
  #dueAt = 0;

  constructor({ workers, credentials, seed }: Span) {
    this.random = randomOf(seed);
    const entries = Array.from({ length: credentials }, (_, i) => entryOf(`c${i}`));
    this.ledger = new Ledger(entries, 0, LEDGER_TIMES, this.random);
    this.#snapshot = this.ledger.snapshot();
    for (const { id } of entries) this.moods.set(id, 'fine');
    for (let slot = 0; slot < workers; slot += 1) this.#boot(slot);
    this.#setTimer();
  }

  /** Runs until a time. With chaos the upstream changes its moods and workers die. */
  run(until: number, chaos: boolean): void {
    for (const id of this.moods.keys()) {
      if (!chaos) this.moods.set(id, 'fine');
      else this.after(this.random() * 60_000, () => this.#changeMood(id, until));
    }
    if (chaos) this.after(this.random() * 120_000, () => this.#killSomebody(until));
    for (; this.now < until; this.now += 1) {
      for (const action of this.#queue.get(this.now) ?? []) action();
      this.#queue.delete(this.now);
      if (this.now >= this.#dueAt) this.#advance();
    }
  }

  after(delayMs: number, action: () => void): void {
    const at = this.now + Math.max(1, Math.ceil(delayMs));
    const actions = this.#queue.get(at);
    if (actions === undefined) this.#queue.set(at, [action]);
    else actions.push(action);
  }

  delay(): number {
    return 1 + Math.floor(this.random() * LONGEST_DELAY_MS);
  }

  /** A worker leased a credential that it should know to be out. */
  assertMayLease(credentialId: string, model: string | null, isLastResort: boolean): void {
    if (isLastResort) return;
    for (const scope of new Set([null, model])) {
      const record = this.#records.get(keyOf(credentialId, scope));
      if (record === undefined) continue;
      const isKnown = record.at + LONGEST_DELAY_MS + 1 < this.now;
      assert.ok(
        !isKnown || this.now >= record.until,
        `${credentialId} leased although out until ${record.until}`,
      );
    }
  }

  probeBegins(credentialId: string, model: string | null): void {
    const key = keyOf(credentialId, model);
    assert.ok(!this.#probing.has(key), `two probes of ${key} at once, at ${this.now}`);
    this.#probing.add(key);
  }

  probeEnds(credentialId: string, model: string | null): void {
    this.#probing.delete(keyOf(credentialId, model));
  }

  receive(worker: SimulatedWorker, report: Report): void {
    switch (report.type) {
      case 'failed':
        worker.acknowledged = report.number;
        this.#onFailure(report.failure);
        break;
      case 'probeStarted':
        this.ledger.reportProbeStarted(report.credentialId, report.model, worker.slot, this.now);
        break;
      case 'probeEnded':
        this.#note(
          this.ledger.reportProbeEnded(report.credentialId, report.model, worker.slot, report.hasRecovered),
        );
        break;
      case 'died':
        this.ledger.releaseWorker(worker.slot);
        this.#workers.splice(this.#workers.indexOf(worker), 1);
        this.after(this.random() * 3_000, () => this.#boot(worker.slot));
    }
    this.#publish();
  }

  #onFailure(failure: Extract<Report, { type: 'failed' }>['failure']): void {
    const wasIn = this.#isIn(failure.credentialId);
    const before = this.ledger.count().available;
    const transition = this.ledger.reportFailure(failure, this.now);
    this.#note(transition);
    if (transition?.type === 'kept') assert.equal(before, 1);
    if (failure.reason === 'rejected' && wasIn) {
      assert.ok(this.ledger.count().available > 0, 'the last available one was taken out for a rejection');
    }
  }

  #isIn(id: string): boolean {
    const credential = this.#snapshot.credentials.find((one) => one.id === id);
    return credential?.suspensions.every(({ model }) => model !== null) ?? false;
  }

  #note(transition: Transition | undefined): void {
    if (transition?.type !== 'recovered') return;
    this.recovered.push(transition.name);
    // Its probe may still be on its way, and is none any more.
    this.probeEnds(`id-${transition.name}`, transition.model);
  }

  #advance(): void {
    const slots = this.#workers.map(({ slot }) => slot).sort((a, b) => a - b);
    const { hasChanged, transitions } = this.ledger.advance(this.now, slots);
    for (const transition of transitions) this.#note(transition);
    if (hasChanged) this.#publish();
    else this.#setTimer();
  }

  #publish(): void {
    this.#snapshot = this.ledger.snapshot();
    this.#assertNobodyIsResurrected();
    for (const worker of this.#workers) worker.deliver(this.#snapshot);
    this.#setTimer();
  }

  #setTimer(): void {
    this.#dueAt = Math.max(this.now + 1, this.ledger.nextDueAt());
  }

  /** What was out until some time is out in every snapshot before it, at least until then. */
  #assertNobodyIsResurrected(): void {
    for (const { id, suspensions } of this.#snapshot.credentials) {
      for (const scope of MODELS) {
        const key = keyOf(id, scope);
        const until = suspensions.find(({ model }) => model === scope)?.until ?? Number.NEGATIVE_INFINITY;
        const promised = this.#untils.get(key) ?? Number.NEGATIVE_INFINITY;
        if (this.now < promised) assert.ok(until >= promised, `${key} is back before ${promised}`);
        if (until === Number.NEGATIVE_INFINITY) this.#records.delete(key);
        else if (until !== promised) this.#records.set(key, { at: this.now, until });
        this.#untils.set(key, until);
      }
    }
  }

  #changeMood(id: string, until: number): void {
    if (this.now >= until - 60_000) return;
    this.moods.set(id, MOODS[Math.floor(this.random() * MOODS.length)] ?? 'fine');
    this.after(10_000 + this.random() * 120_000, () => this.#changeMood(id, until));
  }

  #killSomebody(until: number): void {
    if (this.now >= until - 60_000) return;
    this.#workers[Math.floor(this.random() * this.#workers.length)]?.die();
    this.after(this.random() * 120_000, () => this.#killSomebody(until));
  }

  #boot(slot: number): void {
    const worker = new SimulatedWorker(slot, this);
    this.#workers.push(worker);
    worker.deliver(this.#snapshot);
    this.after(LONGEST_DELAY_MS + 1, () => worker.work());
  }
}

function keyOf(id: string, model: string | null): string {
  return `${id} ${model ?? 'for all'}`;
}
