// What the primary tells every worker about the credentials: always the whole of it, with a version.

/** Why a credential is out: refused by the upstream (401/403), or over its quota (429). */
export type SuspensionReason = 'rejected' | 'throttled';

/** Time during which a credential is not leased; for one model only when the quota was that model's. */
export interface Suspension {
  /** The model it holds for, or null when it holds for every request. */
  readonly model: string | null;
  readonly reason: SuspensionReason;
  /** End of the cooldown, in epoch milliseconds. After it the credential is half-open: probed, not yet trusted. */
  readonly until: number;
  /** Who may send the one probing exchange, and until when it may be started; null before the cooldown ends. */
  readonly probe: ProbeGrant | null;
}

/** Leave for one worker to send one probing exchange with a half-open credential. */
export interface ProbeGrant {
  /** Its id, not its slot: while a worker is being replaced two share a slot. */
  readonly worker: number;
  /** Epoch milliseconds after which the grant must no longer be used: it has gone to another worker. */
  readonly validUntil: number;
}

/** A credential as a worker sees it: its name and token, never its secret's field nor the file it came from. */
export interface PooledCredential {
  readonly id: string;
  readonly name: string;
  readonly weight: number;
  readonly token: string;
  readonly suspensions: readonly Suspension[];
}

/** The whole pool at one moment. A higher version replaces a lower one; nothing is ever merged. */
export interface PoolSnapshot {
  readonly version: number;
  readonly credentials: readonly PooledCredential[];
}
