// Decides what follows the death of a worker that was not told to go. Pure.

/** A worker's end, as far as the decision needs it. */
export interface Death {
  readonly at: number;
  readonly lifetimeMs: number;
  readonly wasReady: boolean;
}

export type RespawnDecision =
  | { readonly type: 'respawn'; readonly delayMs: number }
  | { readonly type: 'giveUp'; readonly reason: string };

/** A worker that lived for longer than this did not die of its start. */
const EARLY_MS = 10_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** So many deaths in a row before serving, within the window: something is wrong that another try does not mend. */
const BOOT_FAILURES = 5;
/** Long enough for boots that hang until they are killed. */
const BOOT_WINDOW_MS = 300_000;
const WINDOW_MS = 60_000;
/** So many early deaths of workers that had served, within the window. */
const EARLY_DEATHS = 20;

/**
 * The first death after a long life is followed by a new worker at once, early ones with a growing delay; a crash
 * loop ends the service, so that systemd or the operator hears of it. Not when others serve: these are worth more than
 * that it is heard of, and one that cannot be started may be before long.
 * @param deaths all deaths so far, the latest last
 */
export function decideRespawn(deaths: readonly Death[], othersServe: boolean): RespawnDecision {
  const latest = deaths.at(-1);
  if (latest === undefined || (latest.wasReady && latest.lifetimeMs >= EARLY_MS))
    return { type: 'respawn', delayMs: 0 };
  const boots = deaths.filter(({ at }) => at > latest.at - BOOT_WINDOW_MS);
  const failedBoots = trailing(boots, (death) => !death.wasReady);
  if (failedBoots >= BOOT_FAILURES) {
    if (othersServe) return { type: 'respawn', delayMs: LONGEST_DELAY_MS };
    return { type: 'giveUp', reason: `${failedBoots} workers in a row ended before they could serve` };
  }
  const isEarly = ({ wasReady, lifetimeMs }: Death): boolean => !wasReady || lifetimeMs < EARLY_MS;
  const early = deaths.filter((death) => death.at > latest.at - WINDOW_MS && isEarly(death)).length;
  if (early >= EARLY_DEATHS) {
    return {
      type: 'giveUp',
      reason: `${early} workers ended within ${WINDOW_MS / 1000} s, each soon after its start`,
    };
  }
  return {
    type: 'respawn',
    delayMs: early === 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (early - 2), LONGEST_DELAY_MS),
  };
}

function trailing(deaths: readonly Death[], holds: (death: Death) => boolean): number {
  const other = deaths.findLastIndex((death) => !holds(death));
  return deaths.length - 1 - other;
}
