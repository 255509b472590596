// Keeps the ledger going: its timers, its log lines, and a new snapshot to every worker whenever something changed.
import { isDeepStrictEqual } from 'node:util';
import type { CredentialReport } from '../credentials/account.ts';
import type { CredentialFailure } from '../credentials/cooldown.ts';
import type { Ledger } from '../credentials/ledger.ts';
import type { CredentialEntry } from '../credentials/secrets-file.ts';
import type { PoolSnapshot } from '../credentials/snapshot.ts';
import type { Recovery, Transition } from '../credentials/transition.ts';
import type { Logger } from '../logging/logger.ts';
import { describeChange } from './named-change.ts';

export interface PoolKeeperOptions {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Ids of the workers that may be given a probe. */
  readonly readyWorkers: () => readonly number[];
  /** Sends the pool to every worker. */
  readonly publish: () => void;
}

/** The longest a timer may sleep: setTimeout counts in 31 bits. */
const LONGEST_SLEEP_MS = 3_600_000;
const SHORTEST_SLEEP_MS = 10;
const KEPT_EVERY_MS = 60_000;

const RECOVERIES: Readonly<Record<Recovery, string>> = {
  answered: '',
  'not refused': ': a request is being worked on and was not refused',
  'not asked': ': nothing has been asked of it since its cooldown ended',
};

export class PoolKeeper {
  readonly #options: PoolKeeperOptions;
  #snapshot: PoolSnapshot;
  #timer: NodeJS.Timeout | undefined;
  #isPublishing = false;
  readonly #keptLoggedAt = new Map<string, number>();

  constructor(options: PoolKeeperOptions) {
    this.#options = options;
    this.#snapshot = options.ledger.snapshot();
    this.#schedule();
  }

  /** The latest snapshot. */
  get snapshot(): PoolSnapshot {
    return this.#snapshot;
  }

  /**
   * Takes over the credentials of a reload: cooldowns of those that stay are kept.
   * @returns what has changed, null when nothing has
   */
  replace(entries: readonly CredentialEntry[]): string | null {
    const { ledger } = this.#options;
    const before = ledger.entries;
    if (isDeepStrictEqual(before, entries)) return null;
    for (const transition of ledger.replace(entries, Date.now())) this.#log(transition);
    this.#changed();
    return describeChange(before, entries);
  }

  /** Every credential and what is held against it. */
  report(): CredentialReport[] {
    return this.#options.ledger.report();
  }

  /** As an operator wants it; undefined when nothing was to be done. */
  setDisabled(name: string, isDisabled: boolean): Transition | undefined {
    return this.#byOperator(this.#options.ledger.setDisabled(name, isDisabled));
  }

  /** Forgets the cooldowns of a credential; undefined when it had none. */
  reset(name: string): Transition | undefined {
    return this.#byOperator(this.#options.ledger.reset(name));
  }

  onFailure(failure: CredentialFailure): void {
    this.#log(this.#options.ledger.reportFailure(failure, Date.now()));
    this.#changed();
  }

  onProbeWanted(worker: number): void {
    this.#options.ledger.reportProbeWanted(worker, Date.now());
  }

  onProbeStarted(credentialId: string, model: string | null, worker: number): void {
    this.#options.ledger.reportProbeStarted(credentialId, model, worker, Date.now());
    this.#schedule();
  }

  onProbeEnded(credentialId: string, model: string | null, worker: number, hasRecovered: boolean): void {
    this.#log(this.#options.ledger.reportProbeEnded(credentialId, model, worker, hasRecovered));
    this.#changed();
  }

  onWorkerGone(worker: number): void {
    this.#options.ledger.releaseWorker(worker);
    this.#changed();
  }

  /** A worker became ready: it may be the one that a grant has waited for. */
  onWorkerReady(): void {
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #byOperator(transition: Transition | undefined): Transition | undefined {
    this.#log(transition);
    if (transition !== undefined) this.#changed();
    return transition;
  }

  /** Several changes in one turn of the loop make one snapshot. */
  #changed(): void {
    this.#schedule();
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    setImmediate(() => {
      this.#isPublishing = false;
      this.#snapshot = this.#options.ledger.snapshot();
      this.#options.publish();
    });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const sleepMs = this.#options.ledger.nextDueAt() - Date.now();
    this.#timer = setTimeout(
      () => this.#advance(),
      Math.min(Math.max(sleepMs, SHORTEST_SLEEP_MS), LONGEST_SLEEP_MS),
    );
  }

  #advance(): void {
    const { ledger, readyWorkers } = this.#options;
    const { hasChanged, transitions } = ledger.advance(Date.now(), readyWorkers());
    for (const transition of transitions) this.#log(transition);
    if (hasChanged) this.#changed();
    else this.#schedule();
  }

  /** A last credential that stays in use is refused with every request: saying so once a minute is enough. */
  #isRepeated(transition: Transition): boolean {
    if (transition.type !== 'kept') return false;
    const now = performance.now();
    const last = this.#keptLoggedAt.get(transition.name) ?? Number.NEGATIVE_INFINITY;
    if (now - last < KEPT_EVERY_MS) return true;
    this.#keptLoggedAt.set(transition.name, now);
    return false;
  }

  #log(transition: Transition | undefined): void {
    if (transition === undefined || this.#isRepeated(transition)) return;
    this.#options.log.warning({ msg: sentence(transition), credential: transition.name });
  }
}

function sentence(transition: Transition): string {
  const { name } = transition;
  switch (transition.type) {
    case 'failed': {
      const { failure, record } = transition;
      const until = new Date(record.until).toISOString();
      const scope =
        failure.reason === 'rejected' || failure.model === null ? '' : ` for model ${failure.model}`;
      return `Configuration '${name}' marked as failed${scope} until ${until} (${failure.reason}, HTTP ${failure.status})`;
    }
    case 'kept':
      return `Configuration '${name}' was refused with HTTP ${transition.failure.status} but stays in use: no other is available`;
    case 'recovered':
      return `Configuration '${name}' recovered${transition.model === null ? '' : ` for model ${transition.model}`}${RECOVERIES[transition.why]}`;
    case 'added':
    case 'removed':
      return `Configuration '${name}' ${transition.type}`;
    case 'disabled':
    case 'enabled':
      return `Configuration '${name}' ${transition.type} by an operator`;
    case 'reset':
      return `Configuration '${name}' reset by an operator: its cooldowns are forgotten`;
  }
}
