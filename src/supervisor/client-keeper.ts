// Keeps the client keys: takes over their file whenever it changes, counts what limited keys use up over all workers,
// and publishes whole snapshots. The door itself is in the workers: src/proxy/admission.ts.
import { type ClientKeyEntry, readKeysFile } from '../clients/keys-file.ts';
import { ClientLimits, type Entrance, type LimitVerdict } from '../clients/limits.ts';
import { type ClientRefusals, NO_REFUSALS, sumOfRefusals } from '../clients/refusals.ts';
import type { ClientsSnapshot } from '../clients/snapshot.ts';
import { ConfigError } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { FileWatch } from './file-watch.ts';

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
  #entries: readonly ClientKeyEntry[];
  #version = 1;
  #watch: FileWatch | undefined;

  constructor(options: ClientKeeperOptions) {
    this.#options = options;
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
    if (this.#options.file !== null) this.#watch = new FileWatch(this.#options.file, () => this.reread());
  }

  stop(): void {
    this.#watch?.stop();
  }

  /** Takes over the file as it is now; a broken one is refused whole and the keys stay as they are. */
  reread(): void {
    const { file, log, publish } = this.#options;
    if (file === null) return;
    const entries = this.#read(file);
    if (entries === undefined || JSON.stringify(entries) === JSON.stringify(this.#entries)) return;
    log.info({ msg: `Client keys changed: ${difference(this.#entries, entries)}; ${entries.length} now` });
    this.#entries = entries;
    this.#limits.replace(entries);
    this.#version += 1;
    publish();
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

function difference(before: readonly ClientKeyEntry[], after: readonly ClientKeyEntry[]): string {
  const old = new Map(before.map((entry) => [entry.name, JSON.stringify(entry)]));
  const added = after.filter(({ name }) => !old.has(name));
  const changed = after.filter(
    (entry) => old.has(entry.name) && old.get(entry.name) !== JSON.stringify(entry),
  );
  const left = new Set(after.map(({ name }) => name));
  const removed = before.filter(({ name }) => !left.has(name));
  return (
    Object.entries({ added, changed, removed })
      .filter(([, entries]) => entries.length > 0)
      .map(([what, entries]) => `${what} ${entries.map(({ name }) => name).join(', ')}`)
      .join('; ') || 'their order'
  );
}
