// The rolling replacement: every worker by one with other settings or code, slot by slot, and back again when a new
// one cannot serve.
import type { Logger } from '../logging/logger.ts';
import type { Launch } from './launch.ts';
import type { Slots } from './slots.ts';

export type RollResult = { readonly type: 'done' } | { readonly type: 'failed'; readonly reason: string };

export async function roll(slots: Slots, launch: Launch, log: Logger): Promise<RollResult> {
  const before = slots.launch;
  for (let number = 0; number < slots.size; number += 1) {
    const boot = await slots.replace(number, launch);
    if (boot.type === 'failed') {
      slots.launch = before;
      await rollBack(slots, number, before, launch, log);
      return { type: 'failed', reason: `the new worker ${number} cannot serve: ${boot.reason}` };
    }
    // One has shown that it can serve: from now on a worker that dies is followed by such a one, too.
    slots.launch = launch;
  }
  slots.launch = launch;
  return { type: 'done' };
}

/** All workers are to be alike. Code that was overwritten cannot be brought back: then the new workers stay. */
async function rollBack(
  slots: Slots,
  replaced: number,
  before: Launch,
  failed: Launch,
  log: Logger,
): Promise<void> {
  const isSame = before.workerFile === failed.workerFile && before.generation === failed.generation;
  for (let number = 0; number < replaced && !isSame; number += 1) {
    const boot = await slots.replace(number, before);
    if (boot.type === 'failed') {
      log.error({
        msg: `Worker ${number} keeps the new settings: the old ones fail as well, ${boot.reason}`,
      });
    }
  }
}
