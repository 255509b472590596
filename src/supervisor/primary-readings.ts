// The metrics that the primary knows without the workers' sums: read from the status of the service at that moment.
import type { ClientRefusals } from '../clients/refusals.ts';
import type { ServiceStatus, WorkerStatus } from '../control/status.ts';
import { PRIMARY_METRICS } from '../metrics/catalogue.ts';
import type { Definition } from '../metrics/definition.ts';
import type { MetricReading, SeriesSums } from '../metrics/sums.ts';

export interface PrimarySources {
  readonly status: ServiceStatus;
  readonly refusals: ClientRefusals;
  /** Workers that were replaced, by reason. */
  readonly restarts: ReadonlyMap<string, number>;
  /** Of the primary's event loop. */
  readonly loopDelayMs: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

const STATES = ['starting', 'ready', 'reloading', 'draining', 'drained', 'stopping'] as const;
const STAGES = ['booting', 'ready', 'draining'] as const;
const RESTART_REASONS = ['signal', 'fault', 'killed', 'reload'];

export function readPrimary(sources: PrimarySources): MetricReading[] {
  const { status, refusals, restarts, loopDelayMs } = sources;
  const { lastReload } = status;
  const processes = [...status.workers, ...status.draining.flatMap(({ workers }) => workers)];
  const metrics = PRIMARY_METRICS;
  return [
    reading(metrics.buildInfo, [[[status.version, process.version], 1]]),
    reading(metrics.startTime, [[[], Date.parse(status.startedAt) / 1000]]),
    reading(
      metrics.state,
      STATES.map((state) => [[state], Number(state === status.state)]),
    ),
    reading(metrics.generation, [[[], status.generation]]),
    reading(metrics.lastReload, lastReload === null ? [] : [[[], Number(isApplied(lastReload.outcome))]]),
    reading(
      metrics.inFlight,
      bySlot(processes, ({ inFlight }) => inFlight, sum, ''),
    ),
    reading(
      metrics.workers,
      STAGES.map((stage) => [[stage], processes.filter((worker) => worker.stage === stage).length]),
    ),
    reading(metrics.workersWanted, [[[], status.workersWanted]]),
    reading(
      metrics.workerRestarts,
      RESTART_REASONS.map((reason) => [[reason], restarts.get(reason) ?? 0]),
    ),
    reading(metrics.memory, [
      [['primary'], process.memoryUsage.rss()],
      ...bySlot(processes, ({ rssBytes }) => rssBytes, sum),
    ]),
    reading(metrics.loopDelay, [
      [['primary'], loopDelayMs / 1000],
      ...bySlot(processes, (worker) => worker.loopDelayMs / 1000, Math.max),
    ]),
    ...credentialReadings(sources),
    reading(
      metrics.refusals,
      Object.entries(refusals).map(([reason, count]) => [[reason], Number(count)]),
    ),
    reading(metrics.logLinesLost, [[[], status.log.lostLines - status.log.lostOnTheWay]]),
  ];
}

function credentialReadings({ status: { credentials }, now }: PrimarySources): MetricReading[] {
  const cooldowns = credentials.flatMap(({ name, cooldowns: own }) =>
    own.map(({ model, reason, until }): Figure => {
      const leftMs = Math.max(0, Date.parse(until) - now);
      return [[name, model ?? 'all', reason], leftMs / 1000];
    }),
  );
  return [
    reading(
      PRIMARY_METRICS.credentialUp,
      credentials.map(({ name, available }) => [[name], Number(available)]),
    ),
    reading(
      PRIMARY_METRICS.credentialDisabled,
      credentials.map(({ name, disabled }) => [[name], Number(disabled)]),
    ),
    reading(PRIMARY_METRICS.cooldown, cooldowns),
  ];
}

type Figure = readonly [labels: readonly string[], value: number];

function reading(definition: Definition, figures: readonly Figure[]): MetricReading {
  return { definition, series: figures.map(([labels, value]): SeriesSums => [labels, [value]]) };
}

/** One figure for each slot: where one worker takes over from another, of both. */
function bySlot(
  workers: readonly WorkerStatus[],
  figure: (worker: WorkerStatus) => number,
  join: (one: number, other: number) => number,
  prefix = 'worker-',
): Figure[] {
  const slots = new Map<string, number>();
  for (const worker of workers) {
    const name = `${prefix}${worker.slot}`;
    slots.set(name, join(slots.get(name) ?? 0, figure(worker)));
  }
  return [...slots].map(([name, value]) => [[name], value]);
}

function sum(one: number, other: number): number {
  return one + other;
}

function isApplied(outcome: string): boolean {
  return outcome === 'applied' || outcome === 'unchanged';
}
