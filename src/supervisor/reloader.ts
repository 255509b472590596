// Reloads: loads aside, refuses or takes over, replaces the workers where that is needed. One at a time; a request
// during a reload is remembered once.
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../config/settings.ts';
import type { Configuration } from '../configuration.ts';
import type { LastReload, ReloadOutcome } from '../control/status.ts';
import { ConfigError, messageOf } from '../errors.ts';
import { memoryLimits } from '../host/memory-share.ts';
import { countWorkers } from '../host/worker-count.ts';
import type { AdjustableLogger } from '../logging/logger.ts';
import type { Code } from './code.ts';
import type { Crew } from './crew.ts';
import { boundDraining } from './draining.ts';
import { planReload } from './reload-plan.ts';
import { roll } from './roll.ts';
import type { Slots } from './slots.ts';
import type { Switchboard } from './switchboard.ts';

/** What the service began with, and where it gets the same anew. */
export interface ReloadSources {
  readonly configuration: Configuration;
  readonly code: Code;
  /** Loads everything aside; throws ConfigError. */
  readonly load: (generation: number) => Configuration;
  readonly readCode: () => Promise<Code>;
  readonly log: AdjustableLogger;
}

export interface ReloaderOptions extends ReloadSources {
  readonly crew: Crew;
  readonly slots: Slots;
  readonly switchboard: Switchboard;
}

type Result = Omit<LastReload, 'at'>;

export class Reloader {
  readonly #options: ReloaderOptions;
  #used: Configuration;
  #code: Code;
  #last: LastReload | null = null;
  #running: Promise<LastReload> | null = null;
  #remembered: Promise<LastReload> | null = null;
  #generations = 1;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#used = options.configuration;
    this.#code = options.code;
  }

  /** The configuration in use. */
  get used(): Configuration {
    return this.#used;
  }

  get last(): LastReload | null {
    return this.#last;
  }

  get isBusy(): boolean {
    return this.#running !== null;
  }

  /** Begins a reload, or remembers to begin another one after the one under way. */
  request(by: string): Promise<LastReload> {
    if (this.#running === null) {
      this.#running = this.#run(by).finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#remembered ??= this.#running.then(() => {
      this.#remembered = null;
      return this.request(by);
    });
    return this.#remembered;
  }

  async #run(by: string): Promise<LastReload> {
    const result = await this.#reload();
    this.#last = { at: new Date().toISOString(), ...result };
    this.#tell(by, result);
    return this.#last;
  }

  async #reload(): Promise<Result> {
    const { crew, slots, load, readCode, configuration } = this.#options;
    if (slots.isClosed) return ended('refused', ['the service is ending']);
    let loaded: Configuration;
    let code: Code;
    try {
      loaded = load(this.#generations + 1);
      code = await readCode();
    } catch (cause) {
      return ended('refused', cause instanceof ConfigError ? cause.problems : [messageOf(cause)]);
    }
    if (slots.isClosed) return ended('refused', ['the service is ending']);
    for (const warning of loaded.warnings) {
      if (!this.#used.warnings.includes(warning)) this.#options.log.warning({ msg: warning });
    }
    const hasNewCode = code.fingerprint !== this.#code.fingerprint;
    const { live, rollFor, needRestart, generation } = planReload(
      configuration,
      this.#used,
      loaded,
      hasNewCode,
    );
    const taken = [...this.#takeOver(loaded), ...live];
    if (rollFor.length > 0) {
      this.#generations += 1;
      const { heapBytes } = memoryLimits(loaded.settings.memory, wantedWorkers(loaded.settings));
      const launch = { generation, workerFile: code.workerFile, heapBytes };
      const result = await roll(slots, launch, this.#options.log, () => this.#takeTlsBack(loaded));
      if (result.type === 'failed') return ended('failed', [result.reason, ...taken], needRestart);
      this.#code = code;
    }
    boundDraining(crew, slots, loaded.settings.maxDraining, this.#options.log);
    const reasons = [
      ...taken,
      ...(await this.#resize(loaded)),
      ...rollFor.map((reason) => `all workers replaced: ${reason}`),
    ];
    if (slots.isClosed) return ended('failed', ['the service is ending']);
    this.#used = { ...loaded, generation: rollFor.length > 0 ? generation : this.#used.generation };
    return ended(reasons.length > 0 ? 'applied' : 'unchanged', reasons, needRestart);
  }

  /** What needs no other workers. @returns what has changed of it */
  #takeOver(loaded: Configuration): string[] {
    const { switchboard } = this.#options;
    const taken: string[] = [];
    const credentials = switchboard.pool.replace(loaded.credentials);
    if (credentials !== null) taken.push(`credentials: ${credentials}`);
    const { keysFile } = loaded.settings.clients;
    const keys = switchboard.clients.replace(keysFile, loaded.clientKeys);
    if (keys !== null) taken.push(`client keys: ${keys}`);
    if (switchboard.certificate.replace(loaded.tls)) taken.push('certificate');
    // The latest word counts: an operator's, until the setting changes.
    if (loaded.settings.log.level !== this.#used.settings.log.level) switchboard.forgetLogLevel();
    return taken;
  }

  /** All workers speak HTTP, or all HTTPS: those that are to be as before are told so when they are forked. */
  #takeTlsBack(loaded: Configuration): void {
    const before = this.#used.tls;
    if ((before === null) !== (loaded.tls === null)) this.#options.switchboard.certificate.replace(before);
  }

  /** What the primary itself goes by; only once the workers are as wanted. Resolves when added ones serve. */
  async #resize({ settings }: Configuration): Promise<string[]> {
    const { slots, crew, log } = this.#options;
    if (settings.log.level !== this.#used.settings.log.level) log.setLevel(settings.log.level);
    const before = slots.size;
    const wanted = wantedWorkers(settings);
    if (wanted > 1 && before === 1 && crew.beganAlone) {
      const msg =
        'The service began with one worker: until the next restart the kernel spreads connections, less evenly';
      log.warning({ msg });
    }
    if (wanted !== before) {
      const { heapBytes } = memoryLimits(settings.memory, wanted);
      slots.launch = { ...slots.launch, heapBytes };
    }
    await slots.resize(wanted);
    const isSamePlace = isDeepStrictEqual(settings.adminListen, this.#used.settings.adminListen);
    return [
      ...(wanted === before ? [] : [`${before} → ${wanted} workers`]),
      ...(isSamePlace ? [] : ['the admin listener moves']),
    ];
  }

  #tell(by: string, { outcome, reasons, needRestart }: Result): void {
    const { log } = this.#options;
    const why = reasons.join('; ');
    switch (outcome) {
      case 'refused':
        log.error({ msg: `${by}: reload refused, everything stays as it was: ${why}` });
        break;
      case 'failed':
        // The end of the service has come in between, and is told elsewhere.
        if (this.#options.slots.isClosed) break;
        log.error({ msg: `${by}: reload failed, the old settings go on: ${why}` });
        break;
      case 'applied':
        log.info({ msg: `${by}: reloaded, ${why}`, generation: this.#used.generation.number });
        break;
      case 'unchanged':
        log.info({ msg: `${by}: nothing has changed` });
        break;
    }
    if (needRestart.length > 0) {
      log.warning({ msg: `${needRestart.join(', ')} changed, which takes effect at the next restart` });
    }
  }
}

/** How many workers the settings want. */
export function wantedWorkers({ numWorkers }: Settings): number {
  return numWorkers === 'auto' ? countWorkers() : numWorkers;
}

function ended(
  outcome: ReloadOutcome,
  reasons: readonly string[],
  needRestart: readonly string[] = [],
): Result {
  return { outcome, reasons, needRestart };
}
