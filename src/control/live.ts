// What a running service tells those who watch it live: /status, /status.json, `flow-proxy top`. Names and figures
// only, never a secret. Put together by src/supervisor/live-watch.ts.
import type { RatePoint, Rates } from '../metrics/rates.ts';
import type { ServiceStatus } from './status.ts';

export interface LiveStatus {
  /** ISO 8601. */
  readonly at: string;
  readonly service: ServiceStatus;
  /** null until there are two readings of the counters. */
  readonly rates: Rates | null;
  /** Requests and failures since the service started. */
  readonly totals: { readonly requests: number; readonly failures: number };
  /** The last two minutes, oldest first. */
  readonly history: readonly RatePoint[];
  /** The latest first. */
  readonly failures: readonly RecentFailures[];
}

/** Requests that failed alike, soon after each other. */
export interface RecentFailures {
  /** Of the latest of them; ISO 8601. */
  readonly at: string;
  readonly count: number;
  readonly route: string;
  /** Class of the status that the client got, such as `5xx`. */
  readonly status: string;
  /** `none` when it failed before it had one. */
  readonly credential: string;
}

/** Whether an answer is live status: a service of another version may say something else. */
export function isLiveStatus(value: unknown): value is LiveStatus {
  return typeof value === 'object' && value !== null && 'service' in value && 'history' in value;
}
