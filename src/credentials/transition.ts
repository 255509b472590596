// What becomes of credentials; each transition is one log line.
import type { CooldownRecord, CredentialFailure } from './cooldown.ts';

/**
 * Why a credential is trusted again: a probing exchange was answered, or the upstream has worked on it for so long that
 * it will not be refused any more, or nobody has asked about the cooldown for long after its end.
 */
export type Recovery = 'answered' | 'not refused' | 'not asked';

/** What became of a credential. */
export type Transition =
  | {
      readonly type: 'failed';
      readonly name: string;
      readonly failure: CredentialFailure;
      readonly record: CooldownRecord;
    }
  | { readonly type: 'kept'; readonly name: string; readonly failure: CredentialFailure }
  | {
      readonly type: 'recovered';
      readonly name: string;
      readonly model: string | null;
      readonly why: Recovery;
    }
  /** The last three by an operator. */
  | { readonly type: 'added' | 'removed' | 'disabled' | 'enabled' | 'reset'; readonly name: string };

/** What was due. */
export interface Advance {
  /** Whether workers need a new snapshot. */
  readonly hasChanged: boolean;
  readonly transitions: readonly Transition[];
}
