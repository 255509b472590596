// The primary's life: starts the workers, reloads, drains, ends the service in order. Signals and verbs only say what
// is wanted; here it is done. Processes are the crew's, their places slots.ts's, what they share the switchboard's.
import { EventEmitter } from 'node:events';
import type { Settings } from '../config/settings.ts';
import type { LastReload, ServiceState } from '../control/status.ts';
import type { LogLevel } from '../logging/logger.ts';
import type { Crew } from './crew.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import type { PoolKeeper } from './pool-keeper.ts';
import { assemble, type PrimaryParts, type ServiceOptions } from './primary-parts.ts';
import { type Reloader, wantedWorkers } from './reloader.ts';
import { ServiceView } from './service-view.ts';
import type { Slots } from './slots.ts';
import type { Switchboard } from './switchboard.ts';

/** How the service ended. */
export interface Ending {
  readonly exitCode: number;
  readonly reason: string;
}

/** How a reload ended, and what was in the way of reopening the log with it. */
export interface Reload extends LastReload {
  readonly logFailure: Error | undefined;
}

export interface SupervisorEvents {
  /** The state of the service has changed; the first `ready` is the end of the start. */
  state: [ServiceState];
  /** A reload has taken over these settings. */
  settings: [Settings];
}

const TICK_MS = 1_000;

/** Runs until it is stopped or gives up; `run` may be called once. */
export class Supervisor {
  readonly events: EventEmitter<SupervisorEvents> = new EventEmitter<SupervisorEvents>();
  /** Resolves when the service has ended. */
  readonly ended: Promise<Ending>;
  /** For those who look at the service. */
  readonly view: ServiceView;
  readonly #options: ServiceOptions;
  readonly #parts: PrimaryParts;
  readonly #crew: Crew;
  readonly #slots: Slots;
  readonly #switchboard: Switchboard;
  readonly #reloader: Reloader;
  /** Resolves when all workers serve for the first time, or the service ends before. */
  readonly #started: Promise<void>;
  #onStarted: () => void = () => {};
  #onEnded: (ending: Ending) => void = () => {};
  #ending: Ending | null = null;
  #port = 0;
  #hasStarted = false;
  #isDraining = false;
  #state: ServiceState = 'starting';

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.#started = new Promise((resolve) => {
      this.#onStarted = resolve;
    });
    this.#parts = assemble(options, (port) => this.#onReady(port));
    const { crew, slots, switchboard, reloader } = this.#parts;
    this.#crew = crew;
    this.#slots = slots;
    this.#switchboard = switchboard;
    this.#reloader = reloader;
    this.view = new ServiceView(this.#parts, () => ({
      state: this.#state,
      port: this.#port,
      lostLines: options.sink.lostLines,
    }));
    slots.events.on('crashLoop', (reason) => this.#beginEnding({ exitCode: 1, reason }));
    crew.events.on('exit', () => this.#onExit());
  }

  /** Forks the workers. Resolves when the service has ended. */
  async run(): Promise<Ending> {
    const { settings } = this.#options.configuration;
    const { memory, host } = this.#parts;
    this.#slots.open(wantedWorkers(settings));
    this.#switchboard.clients.start();
    const watch = new HeartbeatWatch(this.#crew, this.#options.log, TICK_MS);
    const tick = setInterval(() => {
      watch.look(performance.now());
      memory.look(Date.now());
      this.#switchboard.publishRefusals();
    }, TICK_MS);
    const ending = await this.ended;
    clearInterval(tick);
    this.#switchboard.stop();
    await host.close();
    return ending;
  }

  /** Goes on with a new log file of the same name; resolves with what was in the way of that. */
  async reopenLog(by: string): Promise<Error | undefined> {
    const { sink, log } = this.#options;
    const failure = await sink.reopen();
    // One line tells the outcome, in the file that is in use then.
    if (failure === undefined) log.info({ msg: `${by}: log reopened` });
    else log.error({ msg: `${by}: the log could not be reopened: ${failure.message}` });
    return failure;
  }

  /** Takes over settings, secrets and code as they are now; also ends a drain. */
  async reload(by: string): Promise<Reload> {
    const [logFailure] = await Promise.all([this.reopenLog(by), this.#started]);
    const reload = this.#reloader.request(by);
    this.#update();
    const result = await reload;
    if (result.outcome === 'applied' && this.#ending === null) {
      this.events.emit('settings', this.#reloader.used.settings);
    }
    if (this.#slots.size > 0) this.#isDraining = false;
    this.#update();
    return { ...result, logFailure };
  }

  /**
   * Takes no new connections and lets the workers finish, but goes on running: a reload serves again.
   * @returns why it does not, if so
   */
  drain(by: string): string | undefined {
    if (this.#options.passedSocket !== null) {
      const reason =
        "the socket is systemd's, which goes on taking connections: stop flow-proxy.socket instead";
      this.#options.log.warning({ msg: `${by}: not draining: ${reason}` });
      return reason;
    }
    if (this.#ending !== null || this.#isDraining) return undefined;
    this.#isDraining = true;
    this.#slots.clear();
    // Whoever waits for the start waits for what does not come.
    this.#onStarted();
    this.#drainAll(by);
    this.#update();
    return undefined;
  }

  /** Drains every worker, then ends. A second call ends at once, cutting what is in flight. */
  stop(by: string, exitCodeWhenCut: number): void {
    if (this.#ending === null) {
      this.#beginEnding({ exitCode: 0, reason: by });
      return;
    }
    this.#options.log.warning({ msg: `${by} again: ending at once` });
    this.#ending = { exitCode: exitCodeWhenCut, reason: by };
    for (const handle of this.#crew.handles) handle.kill('SIGKILL, as the service ends at once');
    this.#endWhenEmpty();
  }

  /** Logs from this level on, in every process, until the next restart or a reload with another one. */
  setLogLevel(level: LogLevel): void {
    const { log } = this.#options;
    log.setLevel(level);
    this.#switchboard.overrideLogLevel(level);
    log.warning({ msg: `Log level set to ${level} by an operator` });
  }

  /** The credentials, for the commands of an operator. */
  get pool(): PoolKeeper {
    return this.#switchboard.pool;
  }

  #beginEnding(ending: Ending): void {
    if (this.#ending !== null) return;
    this.#ending = ending;
    this.#slots.close();
    this.#onStarted();
    this.#drainAll(ending.reason);
    this.#update();
    this.#endWhenEmpty();
  }

  #drainAll(by: string): void {
    const inFlight = this.#crew.handles.reduce((sum, handle) => sum + handle.inFlight, 0);
    this.#options.log.info({ msg: `${by}: draining, about ${inFlight} exchanges in flight` });
    const { drainTimeoutMs } = this.#reloader.used.generation;
    for (const handle of this.#crew.handles) this.#crew.drain(handle, drainTimeoutMs);
  }

  #onReady(port: number): void {
    this.#port = port;
    const { ready, size } = this.#slots;
    if (this.#hasStarted || size === 0 || ready.length < size) return;
    this.#hasStarted = true;
    this.#slots.onStarted();
    this.#onStarted();
    this.#announce();
    this.#update();
  }

  #announce(): void {
    const { generation, credentials } = this.#options.configuration;
    const scheme = this.#switchboard.certificate.pair === null ? 'http' : 'https';
    const host = generation.host.includes(':') ? `[${generation.host}]` : generation.host;
    this.#options.log.info({
      msg: `Ready on ${scheme}://${host}:${this.#port} with ${this.#slots.size} workers and ${credentials.length} credentials, forwarding to ${generation.targetUrl}`,
      pid: process.pid,
    });
    process.title = `flow-proxy: primary on ${host}:${this.#port}`;
  }

  #onExit(): void {
    this.#keepPassedSocket();
    this.#update();
    this.#endWhenEmpty();
  }

  /** node:cluster closes the socket with the last worker, and systemd alone has another copy: it is to start us anew. */
  #keepPassedSocket(): void {
    if (this.#options.passedSocket === null || this.#crew.handles.length > 0 || this.#ending !== null) return;
    const reason = 'every worker ended at once, and the socket of systemd was closed with them';
    this.#options.log.error({ msg: `${reason}; ending, to be started with it again` });
    this.#beginEnding({ exitCode: 1, reason });
  }

  #endWhenEmpty(): void {
    if (this.#ending !== null && this.#crew.handles.length === 0) this.#onEnded(this.#ending);
  }

  #update(): void {
    const state = this.#currentState();
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'drained') this.#options.log.info({ msg: 'Drained: nothing is in flight any more' });
    this.events.emit('state', state);
  }

  #currentState(): ServiceState {
    if (this.#ending !== null) return 'stopping';
    if (this.#isDraining) return this.#crew.handles.length === 0 ? 'drained' : 'draining';
    if (!this.#hasStarted) return 'starting';
    return this.#reloader.isBusy ? 'reloading' : 'ready';
  }
}
