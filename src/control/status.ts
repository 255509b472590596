// What a running service tells of itself: `flow-proxy status`, /status.json. Names and figures only, never a secret.
// Put together by src/supervisor/status-report.ts.
import type { SuspensionReason } from '../credentials/snapshot.ts';
import type { LogLevel } from '../logging/logger.ts';

/** What the service as a whole is doing. `drained` takes no connections and has nothing left to do. */
export type ServiceState = 'starting' | 'ready' | 'reloading' | 'draining' | 'drained' | 'stopping';

/** Times are ISO 8601. */
export interface ServiceStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly state: ServiceState;
  /** Where clients connect to; the port is 0 before the first worker listens. */
  readonly listen: { readonly host: string; readonly port: number; readonly isSecure: boolean };
  /** Number of the settings in use; each rolling replacement has a higher one. */
  readonly generation: number;
  /** null before the first reload. */
  readonly lastReload: LastReload | null;
  readonly workersWanted: number;
  /** Those that belong to a slot, in the order of the slots, and those that are taking over from them. */
  readonly workers: readonly WorkerStatus[];
  /** Replaced workers that still finish what they have, by generation, oldest first. */
  readonly draining: readonly DrainingGeneration[];
  readonly credentials: readonly CredentialStatus[];
  /** Exchanges under way in all workers, those that drain included; about a second old. */
  readonly inFlight: number;
  readonly log: LogStatus;
  readonly limits: LimitStatus;
  /** null until somebody has looked and the figures are there. */
  readonly host: HostFigures | null;
}

/** Limits of one worker, as settings and the machine have them. */
export interface LimitStatus {
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly heapBytes: number;
  readonly connections: number;
  /** null where the system does not tell. */
  readonly openFiles: number | null;
}

/** The machine, by systeminformation. */
export interface HostFigures {
  readonly processors: number;
  readonly cpuPercent: number;
  /** Of the last minute. */
  readonly loadAverage: number;
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
}

/** How a reload ended: `unchanged` found nothing to do, `refused` changed nothing, `failed` came back half way. */
export type ReloadOutcome = 'unchanged' | 'applied' | 'refused' | 'failed';

export interface LastReload {
  readonly at: string;
  readonly outcome: ReloadOutcome;
  /** What was taken over, such as `credentials: added team-b`, or why nothing was. */
  readonly reasons: readonly string[];
  /** Variables whose new value waits for a restart. */
  readonly needRestart: readonly string[];
}

export type WorkerStage = 'booting' | 'ready' | 'draining';

export interface WorkerStatus {
  readonly slot: number;
  readonly pid: number;
  readonly stage: WorkerStage;
  readonly generation: number;
  readonly inFlight: number;
  readonly rssBytes: number;
  /** The longest that its event loop was late within about the last second. */
  readonly loopDelayMs: number;
  readonly startedAt: string;
}

export interface DrainingGeneration {
  readonly generation: number;
  readonly inFlight: number;
  readonly rssBytes: number;
  readonly workers: readonly WorkerStatus[];
}

export interface CredentialStatus {
  readonly name: string;
  readonly weight: number;
  /** Whether requests for some model at least may use it. */
  readonly available: boolean;
  /** Taken out by `flow-proxy credential disable`, until it is enabled or the service restarts. */
  readonly disabled: boolean;
  readonly cooldowns: readonly CooldownStatus[];
}

export interface CooldownStatus {
  /** null for every request. */
  readonly model: string | null;
  readonly reason: SuspensionReason;
  readonly failures: number;
  readonly since: string;
  readonly until: string;
}

export interface LogStatus {
  /** `none` is standard output, `external` a plain file, `internal` files that we roll. */
  readonly mode: 'none' | 'external' | 'internal';
  readonly file: string | null;
  /** Least level that is logged now. */
  readonly level: LogLevel;
  /** Lines of all processes that are not in the log, since the start. */
  readonly lostLines: number;
  /** Those among them that were lost between a worker and the primary. */
  readonly lostOnTheWay: number;
}

/** Whether an answer is a status: a service of another version may say something else. */
export function isStatus(report: unknown): report is ServiceStatus {
  return (
    typeof report === 'object' && report !== null && 'workersWanted' in report && 'credentials' in report
  );
}
