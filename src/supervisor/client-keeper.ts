// Keeps the client keys: takes over their file whenever it changes, counts what limited keys use up over all workers,
// and publishes whole snapshots. The door itself is in the workers: src/proxy/admission.ts.
import { isDeepStrictEqual } from 'node:util';
import { type ClientKeyEntry, readKeysFile } from '../clients/keys-file.ts';
import { ClientLimits, type Entrance, type LimitVerdict } from '../clients/limits.ts';
import { type ClientRefusals, NO_REFUSALS, sumOfRefusals } from '../clients/refusals.ts';
import type { ClientsSnapshot } from '../clients/snapshot.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { FileWatch } from './file-watch.ts';
import { describeChange } from './named-change.ts';

export interface ClientKeeperOptions {
  /** null when no keys are wanted. */
  readonly file: string | null;
  /** What the file held at the start. */
  readonly entries: readonly ClientKeyEntry[];
  readonly log: Logger;
  /** Sends the keys to every worker. */
  readonly publish: () => void;
}

export class ClientKeeper {
  readonly #options: ClientKeeperOptions;
  readonly #limits = new ClientLimits();
  readonly #refusals = new Map<number, ClientRefusals>();
  #refusalsOfTheGone = NO_REFUSALS;
  #file: string | null;
  #entries: readonly ClientKeyEntry[];
  #version = 1;
  #watch: FileWatch | undefined;

  constructor(options: ClientKeeperOptions) {
    this.#options = options;
    this.#file = options.file;
    this.#entries = options.entries;
    this.#limits.replace(options.entries);
  }

  /** The keys as workers get them. */
  get snapshot(): ClientsSnapshot {
    const keys = this.#entries.map(({ name, hash, models, requestsPerMinute, concurrent }) => ({
      name,
      hash,
      models,
      isLimited: requestsPerMinute !== null || concurrent !== null,
    }));
    return { version: this.#version, keys };
  }

  /** Requests turned away by all workers, also by those that are gone. */
  get refusals(): ClientRefusals {
    return sumOfRefusals([this.#refusalsOfTheGone, ...this.#refusals.values()]);
  }

  /** Begins to look after the file. */
  start(): void {
    if (this.#file !== null) this.#watch = new FileWatch(this.#file, () => this.reread());
  }

  stop(): void {
    this.#watch?.stop();
  }

  /** Takes over the file as it is now; a broken one is refused whole and the keys stay as they are. */
  reread(): void {
    const entries = this.#file === null ? undefined : this.#read(this.#file);
    if (entries !== undefined) this.#take(entries);
  }

  /**
   * Takes over what a reload has read.
   * @param file where the keys are from now on; null when none are wanted
   * @returns what has changed, null when nothing has
   */
  replace(file: string | null, entries: readonly ClientKeyEntry[]): string | null {
    if (file !== this.#file) {
      this.stop();
      this.#file = file;
      this.start();
    }
    return this.#take(entries);
  }

  #take(entries: readonly ClientKeyEntry[]): string | null {
    const { log, publish } = this.#options;
    if (isDeepStrictEqual(entries, this.#entries)) return null;
    const change = describeChange(this.#entries, entries);
    log.info({ msg: `Client keys changed: ${change}; ${entries.length} now` });
    this.#entries = entries;
    this.#limits.replace(entries);
    this.#version += 1;
    publish();
    return change;
  }

  /** A worker asks for an exchange of a limited key. */
  admit(entrance: Entrance, client: string): LimitVerdict {
    return this.#limits.admit(client, entrance, performance.now());
  }

  release(entrance: Entrance): void {
    this.#limits.release(entrance);
  }

  onRefusals(worker: number, refusals: ClientRefusals): void {
    this.#refusals.set(worker, refusals);
  }

  onWorkerGone(worker: number): void {
    this.#limits.releaseWorker(worker);
    const refusals = this.#refusals.get(worker) ?? NO_REFUSALS;
    this.#refusalsOfTheGone = sumOfRefusals([this.#refusalsOfTheGone, refusals]);
    this.#refusals.delete(worker);
  }

  #read(file: string): readonly ClientKeyEntry[] | undefined {
    try {
      return readKeysFile(file);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      const problems = cause.problems.join('; ');
      this.#options.log.error({ msg: `The client keys stay as they are: ${problems}` });
      return undefined;
    }
  }
}
