// The primary's view of the credentials: their tokens and cooldowns. It alone decides; workers report. What is known of
// each one is account.ts's, who may probe one whose cooldown has ended is probe-grants.ts's.
// It holds no timers and sends nothing: src/supervisor/pool-keeper.ts does both.
import { Account, type CredentialReport, type MintedToken } from './account.ts';
import { afterFailure, type CredentialFailure } from './cooldown.ts';
import { type Cooldown, dueAt, ProbeGrants, withdrawGrant } from './probe-grants.ts';
import type { CredentialEntry } from './secrets-file.ts';
import type { PoolSnapshot } from './snapshot.ts';
import { mintToken } from './token.ts';
import type { Advance, Recovery, Transition } from './transition.ts';

/** Times of the ledger, in milliseconds. */
export interface LedgerTimes {
  /** Time to live of a token. */
  readonly tokenTtlMs: number;
  /** How long before its end a token is replaced. */
  readonly refreshAheadMs: number;
  /** How long a worker may start the probe that it was granted, before another worker gets the grant. */
  readonly grantMs: number;
  /** How long after its end a cooldown that nobody probed is remembered. */
  readonly forgetMs: number;
  /** A probe that the upstream has not refused within this time is accepted: the answer itself may take minutes. */
  readonly refusalMs: number;
}

export const LEDGER_TIMES: LedgerTimes = {
  tokenTtlMs: 3_600_000,
  refreshAheadMs: 300_000,
  grantMs: 1_000,
  forgetMs: 600_000,
  refusalMs: 10_000,
};

/** Tokens, cooldowns and probes of all credentials. Every method that takes `now` wants epoch milliseconds. */
export class Ledger {
  readonly #times: LedgerTimes;
  readonly #random: () => number;
  #accounts: Account[] = [];
  #version = 0;
  readonly #grants: ProbeGrants;

  constructor(
    entries: readonly CredentialEntry[],
    now: number,
    times: LedgerTimes = LEDGER_TIMES,
    random: () => number = Math.random,
  ) {
    this.#times = times;
    this.#random = random;
    this.#grants = new ProbeGrants(times.grantMs);
    this.replace(entries, now);
  }

  /** Everything that workers need to know, under a version that grows with each call. */
  snapshot(): PoolSnapshot {
    this.#version += 1;
    return {
      version: this.#version,
      credentials: this.#accounts.filter((a) => !a.isDisabled).map((account) => account.pooled()),
    };
  }

  /** Names of all credentials, and how many are not cooled for every request. */
  count(): { readonly total: number; readonly available: number } {
    return { total: this.#accounts.length, available: this.#accounts.filter(({ isIn }) => isIn).length };
  }

  /** The credentials as they were given. */
  get entries(): readonly CredentialEntry[] {
    return this.#accounts.map(({ entry }) => entry);
  }

  /** Every credential and what is held against it, for those who look at the service. */
  report(): CredentialReport[] {
    return this.#accounts.map((account) => account.report());
  }

  /**
   * Takes a credential out for everybody, or back in; nothing else does. It stays so when a new list has the same name.
   * @returns undefined when it is so already, or there is none of that name
   */
  setDisabled(name: string, isDisabled: boolean): Transition | undefined {
    return this.#named(name)?.setDisabled(isDisabled);
  }

  /** Forgets every cooldown of a credential. @returns undefined when it has none, or there is none of that name */
  reset(name: string): Transition | undefined {
    return this.#named(name)?.reset();
  }

  /** Takes over a new list: cooldowns of those that stay are kept, a credential that comes back later starts clean. */
  replace(entries: readonly CredentialEntry[], now: number): Transition[] {
    const before = new Map(this.#accounts.map((account) => [account.entry.id, account]));
    const disabled = new Set(this.#accounts.filter((a) => a.isDisabled).map(({ entry }) => entry.name));
    const transitions: Transition[] = [];
    this.#accounts = entries.map((entry) => {
      const known = before.get(entry.id);
      before.delete(entry.id);
      if (known !== undefined) {
        known.entry = entry;
        return known;
      }
      transitions.push({ type: 'added', name: entry.name });
      return new Account(entry, this.#mint(entry, now), disabled.has(entry.name));
    });
    for (const { entry } of before.values()) transitions.push({ type: 'removed', name: entry.name });
    return transitions;
  }

  /** Takes a failure into account; undefined when it is about a credential that is gone or changes nothing. */
  reportFailure(failure: CredentialFailure, now: number): Transition | undefined {
    const account = this.#find(failure.credentialId);
    if (account === undefined) return undefined;
    this.#endProbes(account, failure);
    const { name } = account.entry;
    const isLast = account.isIn && !this.#accounts.some((a) => a !== account && a.isIn);
    if (failure.reason === 'rejected' && isLast) return { type: 'kept', name, failure };
    const model = failure.reason === 'rejected' ? null : failure.model;
    const previous = account.cooldowns.get(model);
    const record = afterFailure(previous?.record, failure, now);
    if (previous !== undefined && previous.record.failures === record.failures) {
      previous.record = record;
      return undefined;
    }
    account.cool(model, record);
    return { type: 'failed', name, failure, record };
  }

  /** A worker has a request for which nothing but a credential to be probed is left: it comes first. */
  reportProbeWanted(worker: number, now: number): void {
    this.#grants.want(worker, now);
  }

  /** A granted worker has started its probing exchange. */
  reportProbeStarted(credentialId: string, model: string | null, worker: number, now: number): void {
    const cooldown = this.#find(credentialId)?.cooldowns.get(model);
    if (cooldown?.probe?.worker === worker) cooldown.probeUntil = now + this.#times.refusalMs;
  }

  /** A probing exchange ended: the credential is trusted again, or (inconclusive) the next one may probe. */
  reportProbeEnded(
    credentialId: string,
    model: string | null,
    worker: number,
    hasRecovered: boolean,
  ): Transition | undefined {
    const account = this.#find(credentialId);
    const cooldown = account?.cooldowns.get(model);
    if (account === undefined || cooldown === undefined) return undefined;
    if (cooldown.probeUntil === null || cooldown.probe?.worker !== worker) return undefined;
    if (hasRecovered) return this.#recover(account, model, cooldown, 'answered');
    withdrawGrant(cooldown);
    return undefined;
  }

  /** Takes back what was granted to a worker that is gone. */
  releaseWorker(worker: number): void {
    this.#grants.forget(worker);
    for (const { cooldowns } of this.#accounts) {
      for (const cooldown of cooldowns.values()) {
        if (cooldown.probe?.worker === worker) withdrawGrant(cooldown);
      }
    }
  }

  /**
   * Does what is due: refreshes tokens, hands probe grants of ended cooldowns around the ready workers, ends cooldowns
   * whose probe is not refused or that nobody asks about.
   */
  advance(now: number, readyWorkers: readonly number[]): Advance {
    const transitions: Transition[] = [];
    let hasChanged = false;
    for (const account of this.#accounts) {
      if (account.minted.refreshAt <= now) {
        account.minted = this.#mint(account.entry, now);
        hasChanged = true;
      }
      if (account.isDisabled) continue;
      for (const [model, cooldown] of account.cooldowns) {
        if (now < dueAt(cooldown)) continue;
        const why = this.#endOf(cooldown, now);
        if (why === null) hasChanged = this.#grants.grant(cooldown, now, readyWorkers) || hasChanged;
        else {
          const transition = this.#recover(account, model, cooldown, why);
          if (transition !== undefined) transitions.push(transition);
          hasChanged = true;
        }
      }
    }
    return { hasChanged, transitions };
  }

  /** When `advance` has something to do next (epoch milliseconds). */
  nextDueAt(): number {
    return Math.min(...this.#accounts.map((account) => account.dueAt));
  }

  /** Why a cooldown that is due ends without an answer; null when it does not. */
  #endOf({ probeUntil, record }: Cooldown, now: number): Recovery | null {
    if (probeUntil !== null) return 'not refused';
    return now >= record.until + this.#times.forgetMs ? 'not asked' : null;
  }

  /** Unless a late failure has lengthened the cooldown since the probe was granted: it knew less than that one. */
  #recover(
    { entry, cooldowns }: Account,
    model: string | null,
    cooldown: Cooldown,
    why: Recovery,
  ): Transition | undefined {
    if (why !== 'not asked' && cooldown.record.until > this.#grants.grantedAt(cooldown)) {
      withdrawGrant(cooldown);
      return undefined;
    }
    cooldowns.delete(model);
    return { type: 'recovered', name: entry.name, model, why };
  }

  /** A probe that failed may speak of another scope than it probed: a 401 of all models, a 429 of one. */
  #endProbes({ cooldowns }: Account, { model, leasedAt }: CredentialFailure): void {
    for (const [scope, cooldown] of cooldowns) {
      const isConcerned = scope === null || scope === model;
      if (isConcerned && cooldown.probeUntil !== null && leasedAt >= this.#grants.grantedAt(cooldown))
        withdrawGrant(cooldown);
    }
  }

  #mint(entry: CredentialEntry, now: number): MintedToken {
    const { tokenTtlMs, refreshAheadMs } = this.#times;
    const jitterMs = this.#random() * Math.min(refreshAheadMs, tokenTtlMs / 10);
    return { token: mintToken(entry), refreshAt: now + tokenTtlMs - refreshAheadMs - jitterMs };
  }

  #named(name: string): Account | undefined {
    return this.#accounts.find((account) => account.entry.name === name);
  }

  #find(credentialId: string): Account | undefined {
    return this.#accounts.find((account) => account.entry.id === credentialId);
  }
}
