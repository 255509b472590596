// The rolling replacement: every worker by one with other settings or code, slot by slot, and back again when a new
// one cannot serve.
import type { Logger } from '../logging/logger.ts';
import type { Launch } from './launch.ts';
import type { Slots } from './slots.ts';

export type RollResult = { readonly type: 'done' } | { readonly type: 'failed'; readonly reason: string };

/** The slots as far as a roll needs them. */
export type Rollable = Pick<Slots, 'size' | 'launch' | 'replace'>;

/** @param onFailed called before workers of the old settings are forked again */
export async function roll(
  slots: Rollable,
  launch: Launch,
  log: Logger,
  onFailed: () => void = () => {},
): Promise<RollResult> {
  const before = slots.launch;
  for (let number = 0; number < slots.size; number += 1) {
    const boot = await slots.replace(number, launch);
    if (boot.type === 'failed') {
      slots.launch = before;
      onFailed();
      await rollBack(slots, number, before, log);
      // Then nobody serves any more, and it is not the new worker's fault.
      if (slots.size === 0) return { type: 'failed', reason: 'the service drains since' };
      return { type: 'failed', reason: `the new worker ${number} cannot serve: ${boot.reason}` };
    }
    // One has shown that it can serve: from now on a worker that dies is followed by such a one, too.
    slots.launch = launch;
  }
  slots.launch = launch;
  return { type: 'done' };
}

/** All workers are to have the same settings. Code that was overwritten meanwhile cannot be brought back. */
async function rollBack(slots: Rollable, replaced: number, before: Launch, log: Logger): Promise<void> {
  for (let number = 0; number < replaced; number += 1) {
    const boot = await slots.replace(number, before);
    if (boot.type === 'ready') continue;
    log.error({
      msg: `Worker ${number} keeps the new settings: with the old ones it fails, too: ${boot.reason}`,
    });
  }
}
