// Looks after the memory of the workers: one that has grown over the soft limit is replaced, one at a time and not
// before it has lived for a while; one over the hard limit is killed, draining ones too.
import type { Configuration } from '../configuration.ts';
import { type MemoryLimits, memoryLimits } from '../host/memory-share.ts';
import type { Logger } from '../logging/logger.ts';
import type { Crew } from './crew.ts';
import { wantedWorkers } from './reloader.ts';
import type { Slots } from './slots.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface MemoryWatchOptions {
  readonly crew: Crew;
  readonly slots: Slots;
  /** The configuration in use. */
  readonly used: () => Configuration;
  /** A reload is replacing workers already. */
  readonly isBusy: () => boolean;
  readonly log: Logger;
}

/** What the choice of a worker depends on. */
export type Grown = Pick<WorkerHandle, 'stage' | 'rssBytes' | 'startedAt'>;

const MB = 1024 * 1024;

/** The largest of the workers that are to be replaced for their memory; undefined when none is. Pure. */
export function largestGrown<T extends Grown>(
  workers: readonly T[],
  { softBytes }: MemoryLimits,
  minLifetimeMs: number,
  now: number,
): T | undefined {
  const grown = workers.filter(
    ({ stage, rssBytes, startedAt }) =>
      stage === 'ready' && rssBytes > softBytes && now - startedAt >= minLifetimeMs,
  );
  return grown.reduce<T | undefined>(
    (largest, one) => (largest === undefined || one.rssBytes > largest.rssBytes ? one : largest),
    undefined,
  );
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #limits: MemoryLimits | undefined;
  #limitsOf: Configuration | undefined;
  #isReplacing = false;
  /** After a replacement that failed. */
  #notBefore = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** In use now. */
  get limits(): MemoryLimits {
    const { used } = this.#options;
    if (this.#limits === undefined || this.#limitsOf !== used()) {
      this.#limitsOf = used();
      const { settings } = this.#limitsOf;
      this.#limits = memoryLimits(settings.memory, wantedWorkers(settings));
    }
    return this.#limits;
  }

  /** @param now epoch milliseconds */
  look(now: number): void {
    const { crew, slots, used, isBusy } = this.#options;
    for (const handle of crew.handles) this.#checkHard(handle);
    if (this.#isReplacing || isBusy() || now < this.#notBefore) return;
    const { minLifetimeMs } = used().settings.memory;
    const grown = largestGrown(slots.ready, this.limits, minLifetimeMs, now);
    if (grown === undefined) return;
    this.#isReplacing = true;
    void this.#replace(grown, now + minLifetimeMs).finally(() => {
      this.#isReplacing = false;
    });
  }

  #checkHard(handle: WorkerHandle): void {
    const { hardBytes } = this.limits;
    if (handle.rssBytes <= hardBytes || handle.killedFor !== null) return;
    const { slot, pid } = handle;
    const sizes = `${megabytes(handle.rssBytes)}, over its hard limit of ${megabytes(hardBytes)}`;
    this.#options.log.error({
      msg: `Worker ${slot} has ${sizes} (FLOW_PROXY_HARD_MEMORY_MB): killing it`,
      worker: slot,
      pid,
    });
    handle.kill('SIGKILL for its memory');
  }

  async #replace({ slot, pid, rssBytes }: WorkerHandle, retryAt: number): Promise<void> {
    const { slots, log } = this.#options;
    const sizes = `${megabytes(rssBytes)}, over its soft limit of ${megabytes(this.limits.softBytes)}`;
    log.warning({
      msg: `Worker ${slot} has ${sizes} (FLOW_PROXY_SOFT_MEMORY_MB): replacing it`,
      worker: slot,
      pid,
    });
    const boot = await slots.replace(slot, slots.launch);
    if (boot.type === 'ready') return;
    this.#notBefore = retryAt;
    log.error({ msg: `Worker ${slot} stays: the one to take its place cannot serve, ${boot.reason}` });
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB)} MB`;
}
