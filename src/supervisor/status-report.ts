// Puts together what a running service tells of itself, from the parts that know.
import type {
  CredentialStatus,
  DrainingGeneration,
  ServiceState,
  ServiceStatus,
  WorkerStatus,
} from '../control/status.ts';
import type { CredentialReport } from '../credentials/account.ts';
import { openFileLimit } from '../host/open-files.ts';
import { WORKER_METRICS } from '../metrics/catalogue.ts';
import { VERSION } from '../version.ts';
import { drainingWorkers } from './draining.ts';
import type { PrimaryParts } from './primary-parts.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What the parts of the primary do not know. */
export interface LifeSigns {
  readonly state: ServiceState;
  readonly port: number;
  /** By the primary. */
  readonly lostLines: number;
}

export function reportStatus(sources: PrimaryParts & LifeSigns): ServiceStatus {
  const { state, startedAt, port, crew, slots, switchboard, reloader, lostLines, memory, host } = sources;
  const serving = slots.handles;
  const draining = drainingWorkers(crew, slots);
  const { log } = reloader.used.settings;
  const lostOnTheWay = switchboard.metrics.total(WORKER_METRICS.workerLogLinesLost);
  return {
    version: VERSION,
    pid: process.pid,
    startedAt: iso(startedAt),
    state,
    listen: { host: reloader.used.generation.host, port, isSecure: switchboard.certificate.pair !== null },
    generation: slots.launch.generation.number,
    lastReload: reloader.last,
    workersWanted: slots.size,
    workers: serving.map(workerStatus),
    draining: byGeneration(draining.map(workerStatus)),
    credentials: switchboard.pool.report().map(credentialStatus),
    inFlight: sum(crew.handles, ({ inFlight }) => inFlight),
    log: {
      mode: log.rotation,
      file: log.rotation === 'none' ? null : log.file,
      level: switchboard.logLevel ?? log.level,
      lostLines: lostLines + lostOnTheWay,
      lostOnTheWay,
    },
    limits: {
      ...memory.limits,
      connections: reloader.used.generation.inbound.connections,
      openFiles: finiteOrNull(openFileLimit()),
    },
    host: host.latest,
  };
}

function workerStatus(handle: WorkerHandle): WorkerStatus {
  const { slot, pid, stage, generation, inFlight, rssBytes, loopDelayMs, startedAt } = handle;
  return { slot, pid, stage, generation, inFlight, rssBytes, loopDelayMs, startedAt: iso(startedAt) };
}

function byGeneration(workers: readonly WorkerStatus[]): DrainingGeneration[] {
  const numbers = [...new Set(workers.map(({ generation }) => generation))].sort((a, b) => a - b);
  return numbers.map((generation) => {
    const members = workers.filter((worker) => worker.generation === generation);
    return {
      generation,
      inFlight: sum(members, ({ inFlight }) => inFlight),
      rssBytes: sum(members, ({ rssBytes }) => rssBytes),
      workers: members,
    };
  });
}

function credentialStatus({
  name,
  weight,
  isAvailable,
  isDisabled,
  cooldowns,
}: CredentialReport): CredentialStatus {
  return {
    name,
    weight,
    available: isAvailable,
    disabled: isDisabled,
    cooldowns: cooldowns.map(({ model, reason, failures, since, until }) => ({
      model,
      reason,
      failures,
      since: iso(since),
      until: iso(until),
    })),
  };
}

function sum<T>(all: readonly T[], figure: (one: T) => number): number {
  return all.reduce((total, one) => total + figure(one), 0);
}

function finiteOrNull(figure: number): number | null {
  return Number.isFinite(figure) ? figure : null;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
