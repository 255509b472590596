// How the service is, for those who look at it: its status, its metrics, when its workers were last heard of. Looking
// changes nothing.
import type { ServiceStatus } from '../control/status.ts';
import type { MetricReading } from '../metrics/sums.ts';
import type { PrimaryParts } from './primary-parts.ts';
import { readPrimary } from './primary-readings.ts';
import { type LifeSigns, reportStatus } from './status-report.ts';

/** Reads the parts of the primary when it is asked. */
export class ServiceView {
  readonly #parts: PrimaryParts;
  readonly #life: () => LifeSigns;

  constructor(parts: PrimaryParts, life: () => LifeSigns) {
    this.#parts = parts;
    this.#life = life;
  }

  /** performance.now() of the latest message of a worker that serves; 0 while there is none. */
  get heardOfWorkersAt(): number {
    return Math.max(0, ...this.#parts.slots.ready.map(({ lastHeartbeatAt }) => lastHeartbeatAt));
  }

  /** What `flow-proxy status` and the status page show. */
  status(): ServiceStatus {
    return reportStatus({ ...this.#parts, ...this.#life() });
  }

  /** Every metric as it is now. */
  metrics(): MetricReading[] {
    const { metrics, clients } = this.#parts.switchboard;
    const { restarts, loopDelayMs } = metrics;
    const { refusals } = clients;
    const sources = { status: this.status(), refusals, restarts, loopDelayMs, now: Date.now() };
    return [...metrics.read(performance.now()), ...readPrimary(sources)];
  }

  /** Somebody wants the figures of the machine: resolves when the status has fresh ones. */
  refreshHost(): Promise<void> {
    return this.#parts.host.refresh();
  }
}
