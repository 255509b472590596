// How much each client key may do, over all workers: requests per minute and exchanges at a time. Pure: who asks and
// who holds what is told to it, and so is the time, in milliseconds of any clock that never goes back.
import type { ClientKeyEntry } from './keys-file.ts';
import { MinuteWindow } from './minute-window.ts';

/** Whether an exchange may begin. */
export type LimitVerdict =
  | { readonly type: 'admitted' }
  | {
      readonly type: 'refused';
      readonly limit: 'requestsPerMinute' | 'concurrent';
      readonly most: number;
      /** When it is worth trying again; for requests per minute that is exact. */
      readonly retryAfterMs: number;
    }
  /** The key is gone: it was revoked a moment ago. */
  | { readonly type: 'unknownKey' };

/** An exchange of one worker. */
export interface Entrance {
  /** The worker's process, not its slot: two may share that while one drains. */
  readonly worker: number;
  /** Number that the worker gave it. */
  readonly admission: number;
}

const ADMITTED: LimitVerdict = { type: 'admitted' };
/** Exchanges end when they end: a guess that does not hurt. */
const CONCURRENT_RETRY_MS = 1_000;

interface Usage {
  limits: Pick<ClientKeyEntry, 'requestsPerMinute' | 'concurrent'> | null;
  inFlight: number;
  readonly lastMinute: MinuteWindow;
}

/** Counts for every limited key what its exchanges use up. */
export class ClientLimits {
  readonly #usage = new Map<string, Usage>();
  /** By worker and admission: the name of the key. */
  readonly #held = new Map<number, Map<number, string>>();

  /** Takes over the keys of a file. What was used up under a name stays used up, also when its key is rotated. */
  replace(entries: readonly ClientKeyEntry[]): void {
    for (const usage of this.#usage.values()) usage.limits = null;
    for (const { name, requestsPerMinute, concurrent } of entries) {
      const usage = this.#usage.get(name) ?? { limits: null, inFlight: 0, lastMinute: new MinuteWindow() };
      usage.limits = { requestsPerMinute, concurrent };
      this.#usage.set(name, usage);
    }
    for (const [name, usage] of this.#usage) this.#forget(name, usage);
  }

  /** Lets an exchange begin, or says why not. One that is let in is to be released. */
  admit(name: string, { worker, admission }: Entrance, now: number): LimitVerdict {
    const usage = this.#usage.get(name);
    if (usage === undefined || usage.limits === null) return { type: 'unknownKey' };
    const verdict = judge(usage, usage.limits, now);
    if (verdict.type !== 'admitted') return verdict;
    usage.inFlight += 1;
    if (usage.limits.requestsPerMinute !== null) usage.lastMinute.add(now);
    const held = this.#held.get(worker) ?? new Map<number, string>();
    this.#held.set(worker, held.set(admission, name));
    return verdict;
  }

  /** The exchange has ended; one that never began is no matter. */
  release({ worker, admission }: Entrance): void {
    const held = this.#held.get(worker);
    const name = held?.get(admission);
    if (held === undefined || name === undefined) return;
    held.delete(admission);
    this.#free(name);
  }

  /** A worker is gone, and all its exchanges with it. */
  releaseWorker(worker: number): void {
    for (const name of this.#held.get(worker)?.values() ?? []) this.#free(name);
    this.#held.delete(worker);
  }

  /** Exchanges under way with a key. */
  inFlight(name: string): number {
    return this.#usage.get(name)?.inFlight ?? 0;
  }

  #free(name: string): void {
    const usage = this.#usage.get(name);
    if (usage === undefined) return;
    usage.inFlight -= 1;
    this.#forget(name, usage);
  }

  #forget(name: string, { limits, inFlight }: Usage): void {
    if (limits === null && inFlight === 0) this.#usage.delete(name);
  }
}

function judge(usage: Usage, limits: NonNullable<Usage['limits']>, now: number): LimitVerdict {
  const { concurrent, requestsPerMinute } = limits;
  if (concurrent !== null && usage.inFlight >= concurrent) {
    return { type: 'refused', limit: 'concurrent', most: concurrent, retryAfterMs: CONCURRENT_RETRY_MS };
  }
  if (requestsPerMinute === null) return ADMITTED;
  const retryAfterMs = usage.lastMinute.fullForMs(requestsPerMinute, now);
  if (retryAfterMs <= 0) return ADMITTED;
  return { type: 'refused', limit: 'requestsPerMinute', most: requestsPerMinute, retryAfterMs };
}
