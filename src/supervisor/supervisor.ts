// The primary: forks the workers, replaces those that die, hands the pool to them, and ends the service in order.
// Handlers of signals and messages only record; one place acts.
import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { ClientKeyEntry } from '../clients/keys-file.ts';
import { type ClientRefusals, NO_REFUSALS } from '../clients/refusals.ts';
import { Ledger } from '../credentials/ledger.ts';
import type { CredentialEntry } from '../credentials/secrets-file.ts';
import type { Generation } from '../generation.ts';
import { onWorkerMessage } from '../ipc/channel.ts';
import type { PoolMessage, ServiceState, ToPrimary } from '../ipc/messages.ts';
import type { LogSink } from '../logging/log-sink.ts';
import type { Logger } from '../logging/logger.ts';
import { CertificateKeeper, type TlsSource } from './certificate-keeper.ts';
import { ClientKeeper } from './client-keeper.ts';
import { PoolKeeper } from './pool-keeper.ts';
import { type Death, decideRespawn } from './respawn.ts';
import { workerEnvironment } from './worker-environment.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface SupervisorOptions {
  readonly generation: Generation;
  readonly credentials: readonly CredentialEntry[];
  /** Where client keys are, and those that were there; the file is null when none are wanted. */
  readonly clientKeys: { readonly file: string | null; readonly entries: readonly ClientKeyEntry[] };
  /** null for plain HTTP. */
  readonly tls: TlsSource | null;
  readonly numWorkers: number;
  /** Compiled workers/proxy-worker.ts. */
  readonly workerFile: string;
  readonly log: Logger;
  readonly sink: LogSink;
  readonly environment: NodeJS.ProcessEnv;
  /** Called once, when every worker serves for the first time. */
  readonly onReady: () => void;
}

/** How the service ended. */
export interface Ending {
  readonly exitCode: number;
  readonly reason: string;
}

const TICK_MS = 1_000;
/** A worker that says nothing for this long hangs: it is killed and replaced. */
const SILENCE_MS = 15_000;
/** What a worker gets beyond its drain deadline to leave by itself. */
const LEAVE_MS = 5_000;
/** Deaths remembered for the respawn decision. */
const DEATHS_REMEMBERED = 100;

/** Runs until it is stopped or gives up; `run` may be called once. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #keeper: PoolKeeper;
  readonly #clients: ClientKeeper;
  readonly #certificate: CertificateKeeper;
  readonly #startedAt: number = Date.now();
  readonly #workers = new Map<Worker, WorkerHandle>();
  readonly #events = new EventEmitter<{ settled: []; ended: [Ending] }>();
  #deaths: Death[] = [];
  #ending: Ending | null = null;
  #port = 0;
  #publishedRefusals: ClientRefusals = NO_REFUSALS;
  #hasAnnounced = false;
  #tickedAt: number = performance.now();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#keeper = new PoolKeeper({
      ledger: new Ledger(options.credentials, this.#startedAt),
      log: options.log,
      readyWorkers: () => this.#ready().map(({ id }) => id),
      publish: () => this.#publish(),
    });
    this.#clients = new ClientKeeper({
      ...options.clientKeys,
      log: options.log,
      publish: () => this.#sendToAll({ type: 'clients', snapshot: this.#clients.snapshot }),
    });
    this.#certificate = new CertificateKeeper({
      source: options.tls,
      log: options.log,
      publish: (pair) => this.#sendToAll({ type: 'tls', pair }),
    });
  }

  /** Forks the workers. Resolves when the service has ended. */
  async run(): Promise<Ending> {
    const { workerFile, numWorkers, environment } = this.#options;
    cluster.setupPrimary({
      exec: workerFile,
      args: [],
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker, code, signal));
    const forked = workerEnvironment(environment);
    for (let slot = 0; slot < numWorkers; slot += 1) this.#fork(slot, forked);
    this.#clients.start();
    const tick = setInterval(() => this.#onTick(), TICK_MS);
    const [ending] = await new Promise<[Ending]>((resolve) => {
      this.#events.once('ended', (result) => resolve([result]));
    });
    clearInterval(tick);
    this.#keeper.stop();
    this.#clients.stop();
    return ending;
  }

  /** Takes over the files that may change under way: client keys and certificate. What is broken stays as it was. */
  rereadClients(): void {
    this.#clients.reread();
    this.#certificate.reread();
  }

  /** Drains every worker, then ends. A second call ends at once, cutting what is in flight. */
  stop(reason: string, exitCodeWhenCut: number): void {
    if (this.#ending === null) {
      this.#beginEnding({ exitCode: 0, reason });
      return;
    }
    this.#options.log.warning({ msg: `${reason} again: ending at once` });
    this.#ending = { exitCode: exitCodeWhenCut, reason };
    for (const handle of this.#workers.values()) handle.kill();
    this.#endWhenEmpty();
  }

  #beginEnding(ending: Ending): void {
    const { log, generation } = this.#options;
    const { reason } = ending;
    this.#ending = ending;
    const inFlight = [...this.#workers.values()].reduce((sum, handle) => sum + handle.inFlight, 0);
    log.info({ msg: `${reason}: draining, about ${inFlight} exchanges in flight` });
    for (const handle of this.#workers.values()) this.#drain(handle, generation.drainTimeoutMs);
    this.#endWhenEmpty();
  }

  #drain(handle: WorkerHandle, deadlineMs: number): void {
    handle.drain(deadlineMs);
    const timer = setTimeout(() => handle.kill(), deadlineMs + LEAVE_MS);
    handle.worker.once('exit', () => clearTimeout(timer));
  }

  #fork(slot: number, environment: Record<string, string | undefined>): void {
    if (this.#ending !== null) return;
    const { sink, log } = this.#options;
    const worker = cluster.fork(environment);
    const handle = new WorkerHandle(slot, worker, Date.now());
    this.#workers.set(worker, handle);
    onWorkerMessage(worker, (message) => this.#onMessage(handle, message));
    worker.on('error', (cause) => log.warning({ msg: `Worker ${slot}: ${cause.message}` }));
    const { stdout, stderr } = worker.process;
    if (stdout !== null) sink.attachLog(stdout);
    if (stderr !== null) {
      sink.attachText(stderr, (text) => log.warning({ msg: `Worker ${slot} wrote: ${text}`, worker: slot }));
    }
  }

  #onMessage(handle: WorkerHandle, message: ToPrimary): void {
    handle.lastHeartbeatAt = performance.now();
    switch (message.type) {
      case 'started':
        this.#boot(handle);
        return;
      case 'ready':
        this.#onReady(handle, message.port);
        return;
      case 'heartbeat':
        handle.inFlight = message.inFlight;
        this.#clients.onRefusals(handle.id, message.refused);
        return;
      case 'admit': {
        const { admission, client } = message;
        const verdict = this.#clients.admit({ worker: handle.id, admission }, client);
        handle.send({ type: 'admitted', admission, verdict });
        return;
      }
      case 'release':
        this.#clients.release({ worker: handle.id, admission: message.admission });
        return;
      case 'credentialFailed':
        handle.acknowledged = message.report;
        this.#keeper.onFailure(message.failure);
        return;
      case 'probeWanted':
        this.#keeper.onProbeWanted(handle.id);
        return;
      case 'probeStarted':
        this.#keeper.onProbeStarted(message.credentialId, message.model, handle.id);
        return;
      case 'probeEnded':
        this.#keeper.onProbeEnded(message.credentialId, message.model, handle.id, message.hasRecovered);
        return;
      case 'drained':
        handle.inFlight = 0;
        return;
    }
  }

  #boot(handle: WorkerHandle): void {
    const { snapshot } = this.#keeper;
    const pool: PoolMessage = { type: 'pool', snapshot, acknowledged: 0, service: this.#state() };
    const { generation } = this.#options;
    handle.boot({ generation, pool, clients: this.#clients.snapshot, tls: this.#certificate.pair });
  }

  #onReady(handle: WorkerHandle, port: number): void {
    if (handle.stage === 'booting') handle.stage = 'ready';
    handle.wasReady = true;
    this.#port = port;
    this.#options.log.debug({ msg: `Worker ${handle.slot} is ready`, worker: handle.slot, pid: handle.pid });
    this.#keeper.onWorkerReady();
    this.#publish();
    if (!this.#hasAnnounced && this.#ready().length === this.#options.numWorkers) this.#announce();
  }

  #announce(): void {
    const { generation, numWorkers, credentials, log } = this.#options;
    const scheme = this.#certificate.pair === null ? 'http' : 'https';
    const host = generation.host.includes(':') ? `[${generation.host}]` : generation.host;
    log.info({
      msg: `Ready on ${scheme}://${host}:${this.#port} with ${numWorkers} workers and ${credentials.length} credentials, forwarding to ${generation.targetUrl}`,
      pid: process.pid,
    });
    this.#hasAnnounced = true;
    this.#options.onReady();
    process.title = `flow-proxy: primary on ${host}:${this.#port}`;
  }

  #onExit(worker: Worker, code: number | null, signal: string | null): void {
    const handle = this.#workers.get(worker);
    if (handle === undefined) return;
    this.#workers.delete(worker);
    this.#keeper.onWorkerGone(handle.id);
    this.#clients.onWorkerGone(handle.id);
    if (this.#ending !== null) {
      this.#endWhenEmpty();
      return;
    }
    this.#publish();
    const now = Date.now();
    const lifetimeMs = now - handle.startedAt;
    this.#deaths = [...this.#deaths, { at: now, lifetimeMs, wasReady: handle.wasReady }].slice(
      -DEATHS_REMEMBERED,
    );
    this.#replace(handle, signal ?? `exit code ${code ?? 'unknown'}`);
  }

  #replace({ slot, pid }: WorkerHandle, how: string): void {
    const { log, environment } = this.#options;
    const decision = decideRespawn(this.#deaths);
    if (decision.type === 'giveUp') {
      log.error({ msg: `Giving up: ${decision.reason}; the last one by ${how}`, worker: slot });
      this.#beginEnding({ exitCode: 1, reason: 'crash loop' });
      return;
    }
    log.error({
      msg: `Worker ${slot} ended by ${how}; a new one follows in ${decision.delayMs} ms`,
      worker: slot,
      pid,
    });
    setTimeout(() => this.#fork(slot, workerEnvironment(environment)), decision.delayMs);
  }

  #endWhenEmpty(): void {
    if (this.#ending !== null && this.#workers.size === 0) this.#events.emit('ended', this.#ending);
  }

  #onTick(): void {
    this.#checkHeartbeats();
    // So that /health of every worker tells of all workers.
    if (!isDeepStrictEqual(this.#clients.refusals, this.#publishedRefusals)) this.#publish();
  }

  #checkHeartbeats(): void {
    const now = performance.now();
    const sinceLastTick = now - this.#tickedAt;
    this.#tickedAt = now;
    // We were held up ourselves (a suspended laptop, SIGSTOP): what workers said meanwhile is still to be read.
    if (sinceLastTick > 2 * TICK_MS) {
      for (const handle of this.#workers.values()) handle.lastHeartbeatAt = now;
      return;
    }
    for (const handle of this.#workers.values()) {
      if (now - handle.lastHeartbeatAt <= SILENCE_MS) continue;
      const seconds = Math.round((now - handle.lastHeartbeatAt) / 1000);
      this.#options.log.error({
        msg: `Worker ${handle.slot} has been silent for ${seconds} s: killing it`,
        worker: handle.slot,
      });
      handle.kill();
    }
  }

  #publish(): void {
    const message = { snapshot: this.#keeper.snapshot, service: this.#state() };
    this.#publishedRefusals = message.service.refused;
    for (const handle of this.#workers.values()) handle.sendPool(message);
  }

  #sendToAll(message: Parameters<WorkerHandle['send']>[0]): void {
    for (const handle of this.#workers.values()) handle.send(message);
  }

  #state(): ServiceState {
    const { numWorkers } = this.#options;
    const { refusals: refused } = this.#clients;
    return {
      startedAt: this.#startedAt,
      workersReady: this.#ready().length,
      workersWanted: numWorkers,
      refused,
    };
  }

  #ready(): WorkerHandle[] {
    return [...this.#workers.values()].filter(({ stage }) => stage === 'ready');
  }
}
