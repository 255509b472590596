// Bounds how many generations of replaced workers there are at a time: each of them holds its memory until its last
// exchange has ended.
import type { Logger } from '../logging/logger.ts';
import type { Crew } from './crew.ts';
import type { Slots } from './slots.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** The workers that have been replaced and still finish what they have. */
export function drainingWorkers(crew: Crew, slots: Slots): WorkerHandle[] {
  const serving = slots.handles;
  return crew.handles.filter((handle) => !serving.includes(handle));
}

/** The generations to be cut off, so that no more than `most` are left. Pure. */
export function surplusGenerations(generations: readonly number[], most: number): number[] {
  const oldestFirst = [...new Set(generations)].sort((a, b) => a - b);
  return oldestFirst.slice(0, Math.max(0, oldestFirst.length - most));
}

/** Cuts off what the oldest generations still have under way, when there are more than `most`. */
export function boundDraining(crew: Crew, slots: Slots, most: number, log: Logger): void {
  const draining = drainingWorkers(crew, slots);
  const surplus = surplusGenerations(
    draining.map(({ generation }) => generation),
    most,
  );
  for (const generation of surplus) {
    const workers = draining.filter((handle) => handle.generation === generation);
    const inFlight = workers.reduce((sum, handle) => sum + handle.inFlight, 0);
    log.warning({
      msg: `Generation ${generation} is cut off with about ${inFlight} exchanges in flight: more than ${most} generations drain (FLOW_PROXY_MAX_DRAINING)`,
    });
    for (const handle of workers) crew.cutOff(handle);
  }
}
