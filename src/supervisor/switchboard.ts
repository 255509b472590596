// Connects the workers with what the primary keeps for all of them: the pool, the client keys, the certificate. What
// a worker says goes to its keeper, what a keeper decides goes to every worker.
import { isDeepStrictEqual } from 'node:util';
import { type ClientRefusals, NO_REFUSALS } from '../clients/refusals.ts';
import type { Configuration } from '../configuration.ts';
import { Ledger } from '../credentials/ledger.ts';
import { type PoolMessage, PROTOCOL, type ServiceState, type ToPrimary } from '../ipc/messages.ts';
import type { Logger, LogLevel } from '../logging/logger.ts';
import { CertificateKeeper } from './certificate-keeper.ts';
import { ClientKeeper } from './client-keeper.ts';
import type { Crew } from './crew.ts';
import { MetricsKeeper, restartReason } from './metrics-keeper.ts';
import { PoolKeeper } from './pool-keeper.ts';
import type { Slots } from './slots.ts';
import type { WorkerHandle } from './worker-handle.ts';

export interface SwitchboardOptions {
  readonly configuration: Configuration;
  readonly crew: Crew;
  readonly slots: Slots;
  readonly log: Logger;
  /** Descriptor of a listening socket that systemd passed; null for none. */
  readonly passedSocket: number | null;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** A worker serves. */
  readonly onReady: (handle: WorkerHandle, port: number) => void;
}

export class Switchboard {
  readonly pool: PoolKeeper;
  readonly clients: ClientKeeper;
  readonly certificate: CertificateKeeper;
  readonly metrics: MetricsKeeper = new MetricsKeeper();
  readonly #options: SwitchboardOptions;
  #logLevel: LogLevel | null = null;
  #publishedRefusals: ClientRefusals = NO_REFUSALS;

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { configuration, crew, slots, log, startedAt } = options;
    const { credentials, clientKeys, tls, settings } = configuration;
    this.pool = new PoolKeeper({
      ledger: new Ledger(credentials, startedAt),
      log,
      readyWorkers: () => slots.ready.map(({ id }) => id),
      publish: () => this.publish(),
    });
    this.clients = new ClientKeeper({
      file: settings.clients.keysFile,
      entries: clientKeys,
      log,
      publish: () => crew.sendToAll({ type: 'clients', snapshot: this.clients.snapshot }),
    });
    this.certificate = new CertificateKeeper({
      pair: tls,
      log,
      publish: (pair) => crew.sendToAll({ type: 'tls', pair }),
    });
    crew.events.on('message', (handle, message) => this.#onMessage(handle, message));
    crew.events.on('exit', (handle, how) => this.#onExit(handle, how));
  }

  /** What an operator wants logged, whatever the settings say; null when those decide. */
  get logLevel(): LogLevel | null {
    return this.#logLevel;
  }

  /** Holds for the workers there are, and for those still to come. */
  overrideLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.#options.crew.sendToAll({ type: 'logLevel', level });
  }

  /** The settings decide again, for the workers still to come. */
  forgetLogLevel(): void {
    this.#logLevel = null;
  }

  /** Tells every worker of the pool and of the service as they are now. */
  publish(): void {
    const message = { snapshot: this.pool.snapshot, service: this.#service() };
    this.#publishedRefusals = message.service.refused;
    for (const handle of this.#options.crew.handles) handle.sendPool(message);
  }

  /** So that /health of every worker tells of all workers. */
  publishRefusals(): void {
    if (!isDeepStrictEqual(this.clients.refusals, this.#publishedRefusals)) this.publish();
  }

  stop(): void {
    this.pool.stop();
    this.clients.stop();
  }

  #onMessage(handle: WorkerHandle, message: ToPrimary): void {
    switch (message.type) {
      case 'started':
        if (message.protocol === PROTOCOL) this.#boot(handle);
        else handle.kill('SIGKILL: its code is of another version, which wants the whole service restarted');
        return;
      case 'ready':
        handle.onReady(message.port);
        this.#options.onReady(handle, message.port);
        this.pool.onWorkerReady();
        this.publish();
        return;
      case 'cannotServe':
        handle.cannotServe = message.reason;
        return;
      case 'heartbeat':
        handle.onHeartbeat(message);
        this.clients.onRefusals(handle.id, message.refused);
        if (message.sums !== null) this.metrics.onSums(handle.id, message.sums);
        return;
      case 'leaving':
        this.#options.slots.onLeaving(handle, message.reason);
        this.publish();
        return;
      case 'closed':
        this.#options.crew.onClosed(handle, message.count);
        return;
      case 'admit': {
        const { admission, client } = message;
        const verdict = this.clients.admit({ worker: handle.id, admission }, client);
        handle.send({ type: 'admitted', admission, verdict });
        return;
      }
      case 'release':
        this.clients.release({ worker: handle.id, admission: message.admission });
        return;
      case 'credentialFailed':
        handle.acknowledged = message.report;
        this.pool.onFailure(message.failure);
        return;
      case 'probeWanted':
        this.pool.onProbeWanted(handle.id);
        return;
      case 'probeStarted':
        this.pool.onProbeStarted(message.credentialId, message.model, handle.id);
        return;
      case 'probeEnded':
        this.pool.onProbeEnded(message.credentialId, message.model, handle.id, message.hasRecovered);
        return;
      case 'drained':
        handle.inFlight = 0;
        this.metrics.onSums(handle.id, message.sums);
        return;
    }
  }

  #boot(handle: WorkerHandle): void {
    this.metrics.onWorkerForked(handle.id);
    const { snapshot } = this.pool;
    const pool: PoolMessage = { type: 'pool', snapshot, acknowledged: 0, service: this.#service() };
    const { passedSocket, crew } = this.#options;
    handle.boot({
      pool,
      clients: this.clients.snapshot,
      tls: this.certificate.pair,
      passedSocket,
      logLevel: this.#logLevel,
      tellsClosed: crew.dealsOut,
    });
  }

  #onExit(handle: WorkerHandle, how: string): void {
    const { slots } = this.#options;
    this.metrics.onWorkerGone(handle.id, performance.now());
    if (!slots.isClosed && handle.slot < slots.size) {
      this.metrics.onRestart(restartReason(handle.killedFor, how));
    }
    this.pool.onWorkerGone(handle.id);
    this.clients.onWorkerGone(handle.id);
    this.publish();
  }

  #service(): ServiceState {
    const { slots, startedAt } = this.#options;
    const { refusals: refused } = this.clients;
    return { startedAt, workersReady: slots.ready.length, workersWanted: slots.size, refused };
  }
}
