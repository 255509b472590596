// What the two halves say to each other: notifications only, nobody waits for a reply.
import type { CredentialFailure } from '../credentials/cooldown.ts';
import type { PoolSnapshot } from '../credentials/snapshot.ts';
import type { Generation } from '../generation.ts';

/** What a worker knows of the whole service, for /health. */
export interface ServiceState {
  /** Epoch milliseconds at which the primary started. */
  readonly startedAt: number;
  readonly workersReady: number;
  readonly workersWanted: number;
}

/** The pool as of now; `acknowledged` is the last failure report of the addressed worker that it reflects. */
export interface PoolMessage {
  readonly type: 'pool';
  readonly snapshot: PoolSnapshot;
  readonly acknowledged: number;
  readonly service: ServiceState;
}

/** The first message: all that a worker needs, so that it reads no file and no environment. */
export interface BootMessage {
  readonly type: 'boot';
  readonly slot: number;
  readonly generation: Generation;
  readonly pool: PoolMessage;
}

export type ToWorker = BootMessage | PoolMessage | { readonly type: 'drain'; readonly deadlineMs: number };

/** A sign of life; a worker that gives none is taken for hung. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly inFlight: number;
}

export type ToPrimary =
  /** The worker listens now: what it was sent before would have been lost. */
  | { readonly type: 'started' }
  | { readonly type: 'ready'; readonly port: number }
  | Heartbeat
  | { readonly type: 'credentialFailed'; readonly report: number; readonly failure: CredentialFailure }
  | { readonly type: 'probeStarted'; readonly credentialId: string; readonly model: string | null }
  | {
      readonly type: 'probeEnded';
      readonly credentialId: string;
      readonly model: string | null;
      readonly hasRecovered: boolean;
    }
  | { readonly type: 'drained' };
