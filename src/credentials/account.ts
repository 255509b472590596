// One credential as the primary knows it: its token, whether an operator has taken it out, and what is held against it.
// When it is cooled, probed and trusted again is the ledger's.
import type { CooldownRecord } from './cooldown.ts';
import { type Cooldown, dueAt, newCooldown } from './probe-grants.ts';
import type { CredentialEntry } from './secrets-file.ts';
import type { PooledCredential, Suspension } from './snapshot.ts';
import type { Transition } from './transition.ts';

/** One credential as an operator sees it. */
export interface CredentialReport {
  readonly name: string;
  readonly weight: number;
  readonly isAvailable: boolean;
  /** Taken out by an operator. */
  readonly isDisabled: boolean;
  readonly cooldowns: readonly (CooldownRecord & { readonly model: string | null })[];
}

/** A token, and when it is to be replaced (epoch milliseconds). */
export interface MintedToken {
  readonly token: string;
  readonly refreshAt: number;
}

/** Models come from clients: beyond this many per credential the cooldown that ends first is forgotten. */
const MODELS_REMEMBERED = 64;

/** What the ledger keeps of one credential. */
export class Account {
  entry: CredentialEntry;
  minted: MintedToken;
  /** By model; null for every request. */
  readonly cooldowns: Map<string | null, Cooldown> = new Map();
  #isDisabled: boolean;

  constructor(entry: CredentialEntry, minted: MintedToken, isDisabled: boolean) {
    this.entry = entry;
    this.minted = minted;
    this.#isDisabled = isDisabled;
  }

  /** Taken out by an operator: workers do not hear of it. */
  get isDisabled(): boolean {
    return this.#isDisabled;
  }

  /** Neither disabled nor cooled for every request. */
  get isIn(): boolean {
    return !this.#isDisabled && !this.cooldowns.has(null);
  }

  /** When something is to be done about it (epoch milliseconds). */
  get dueAt(): number {
    let due = this.minted.refreshAt;
    if (this.#isDisabled) return due;
    for (const cooldown of this.cooldowns.values()) due = Math.min(due, dueAt(cooldown));
    return due;
  }

  /** What workers need to know of it. */
  pooled(): PooledCredential {
    const { id, name, weight } = this.entry;
    const suspensions = [...this.cooldowns].map(([model, cooldown]) => suspensionOf(model, cooldown));
    return { id, name, weight, token: this.minted.token, suspensions };
  }

  /** What those who look at the service get to know of it. */
  report(): CredentialReport {
    return {
      name: this.entry.name,
      weight: this.entry.weight,
      isAvailable: this.isIn,
      isDisabled: this.#isDisabled,
      cooldowns: [...this.cooldowns].map(([model, { record }]) => ({ model, ...record })),
    };
  }

  /** An operator takes it out or back in. @returns undefined when it is so already */
  setDisabled(isDisabled: boolean): Transition | undefined {
    if (this.#isDisabled === isDisabled) return undefined;
    this.#isDisabled = isDisabled;
    return { type: isDisabled ? 'disabled' : 'enabled', name: this.entry.name };
  }

  /** An operator has every cooldown forgotten. @returns undefined when there is none */
  reset(): Transition | undefined {
    if (this.cooldowns.size === 0) return undefined;
    this.cooldowns.clear();
    return { type: 'reset', name: this.entry.name };
  }

  /** Starts a cooldown, in place of the one for the same model. */
  cool(model: string | null, record: CooldownRecord): void {
    this.cooldowns.set(model, newCooldown(record));
    trim(this.cooldowns, model);
  }
}

function suspensionOf(model: string | null, { record, probe }: Cooldown): Suspension {
  return { model, reason: record.reason, until: record.until, probe };
}

function trim(cooldowns: Map<string | null, Cooldown>, latest: string | null): void {
  if (cooldowns.size <= MODELS_REMEMBERED) return;
  let first: string | null = null;
  let firstUntil = Number.POSITIVE_INFINITY;
  for (const [model, { record }] of cooldowns) {
    if (model !== null && model !== latest && record.until < firstUntil)
      [first, firstUntil] = [model, record.until];
  }
  cooldowns.delete(first);
}
