// What the two halves say to each other: notifications only. The one question is `admit`, and whoever asks it goes on
// without an answer after a bounded time.
import type { LimitVerdict } from '../clients/limits.ts';
import type { ClientRefusals } from '../clients/refusals.ts';
import type { ClientsSnapshot } from '../clients/snapshot.ts';
import type { TlsPair } from '../clients/tls-pair.ts';
import type { CredentialFailure } from '../credentials/cooldown.ts';
import type { PoolSnapshot } from '../credentials/snapshot.ts';
import type { Generation } from '../generation.ts';
import type { LogLevel } from '../logging/logger.ts';
import type { MetricSums } from '../metrics/sums.ts';

/**
 * Raised whenever these messages change so that the other side has to know: after an upgrade in place a worker of the
 * new code may meet a primary of the old one.
 */
export const PROTOCOL = 1;

/** What a worker knows of the whole service, for /health. */
export interface ServiceState {
  /** Epoch milliseconds at which the primary started. */
  readonly startedAt: number;
  readonly workersReady: number;
  readonly workersWanted: number;
  /** Requests that all workers turned away at the door. */
  readonly refused: ClientRefusals;
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
  /** Id of this worker. */
  readonly worker: number;
  readonly generation: Generation;
  readonly pool: PoolMessage;
  readonly clients: ClientsSnapshot;
  /** Certificate for clients; null for plain HTTP. */
  readonly tls: TlsPair | null;
  /** Descriptor, in the primary, of a socket to listen on that systemd passed; null to listen on the address. */
  readonly passedSocket: number | null;
  /** What an operator wants logged; null when the generation decides. */
  readonly logLevel: LogLevel | null;
  /** The primary deals connections out and wants to hear of their ends. A primary of older code does not say. */
  readonly tellsClosed?: boolean;
}

export type ToWorker =
  | BootMessage
  | PoolMessage
  /** The client keys as of now. */
  | { readonly type: 'clients'; readonly snapshot: ClientsSnapshot }
  /** Whether the exchange of a limited client key may begin that the worker asked about. */
  | { readonly type: 'admitted'; readonly admission: number; readonly verdict: LimitVerdict }
  /** The certificate was renewed. */
  | { readonly type: 'tls'; readonly pair: TlsPair }
  | { readonly type: 'logLevel'; readonly level: LogLevel }
  | { readonly type: 'drain'; readonly deadlineMs: number };

/** A sign of life; a worker that gives none is taken for hung. */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly inFlight: number;
  readonly rssBytes: number;
  /** The longest that its event loop was late within about the last second. */
  readonly loopDelayMs: number;
  /** Requests it turned away since it started. */
  readonly refused: ClientRefusals;
  /** Everything it has counted since it started; null when nothing has changed since the heartbeat before. */
  readonly sums: MetricSums | null;
}

export type ToPrimary =
  /** The worker listens now: what it was sent before would have been lost. */
  | { readonly type: 'started'; readonly protocol: number }
  | { readonly type: 'ready'; readonly port: number }
  /** It ends without having served. */
  | { readonly type: 'cannotServe'; readonly reason: string }
  | Heartbeat
  | { readonly type: 'credentialFailed'; readonly report: number; readonly failure: CredentialFailure }
  /** A request waits here for leave to probe a credential whose cooldown has ended. */
  | { readonly type: 'probeWanted' }
  | { readonly type: 'probeStarted'; readonly credentialId: string; readonly model: string | null }
  | {
      readonly type: 'probeEnded';
      readonly credentialId: string;
      readonly model: string | null;
      readonly hasRecovered: boolean;
    }
  /** May an exchange of a limited client key begin? Numbered by the worker; the answer is `admitted`. */
  | { readonly type: 'admit'; readonly admission: number; readonly client: string }
  /** It has ended, or nobody waits for the answer any more. */
  | { readonly type: 'release'; readonly admission: number }
  /** So many of the connections that it was dealt have closed since it last said so. */
  | { readonly type: 'closed'; readonly count: number }
  /** It drains by itself, for a reason of its own: another one is to take its place. */
  | { readonly type: 'leaving'; readonly reason: string }
  /** Nothing is in flight any more; these are its last sums. */
  | { readonly type: 'drained'; readonly sums: MetricSums };
