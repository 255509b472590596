// Tells systemd how the service is: ready, reloading, stopping, a line for `systemctl status`, and that it is alive.
// It decides nothing in the service; the socket is notify-socket.ts's.
import type { ServiceState, ServiceStatus } from '../../control/status.ts';
import type { NotifySocket } from './notify-socket.ts';
import { statusLine } from './status-line.ts';

/** What is reported on. */
export interface ReportedService {
  readonly events: { on(event: 'state', listener: (state: ServiceState) => void): unknown };
  readonly view: {
    status(): ServiceStatus;
    /** performance.now() of the latest message of a worker that serves; 0 while there is none. */
    readonly heardOfWorkersAt: number;
  };
}

export interface ReporterOptions {
  readonly service: ReportedService;
  readonly socket: NotifySocket;
  /** WATCHDOG_USEC in milliseconds; null for none. */
  readonly watchdogMs: number | null;
  /** performance.now(). */
  readonly now: () => number;
}

const TICK_MS = 1_000;
/** How often a status line may change for its figures alone. */
const STATUS_EVERY_MS = 5_000;
/** Asked for anew with every tick while the workers drain, so that a primary that hangs is not waited for. */
const EXTENSION_MS = 20_000;
/** Nothing of any worker for this long: another start is worth more than another try. */
const WORKERS_SILENT_MS = 60_000;

export class SystemdReporter {
  readonly #options: ReporterOptions;
  #timer: NodeJS.Timeout | undefined;
  #state: ServiceState = 'starting';
  #statusLine = '';
  #statusAt = Number.NEGATIVE_INFINITY;
  #heardOfWorkersAt: number;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#heardOfWorkersAt = options.now();
  }

  start(): void {
    const { service, watchdogMs } = this.#options;
    service.events.on('state', (state) => this.#onState(state));
    // Three times within the limit, so that one late tick does no harm.
    this.#timer = setInterval(() => this.#onTick(), Math.min(TICK_MS, (watchdogMs ?? TICK_MS * 3) / 3));
    this.#onTick();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#options.socket.close();
  }

  #onState(state: ServiceState): void {
    const before = this.#state;
    this.#state = state;
    this.#tell([...transition(before, state), ...this.#status(true)]);
  }

  #onTick(): void {
    const lines = this.#status(false);
    if (this.#state === 'stopping') lines.push(extension());
    if (this.#options.watchdogMs !== null && this.#isAlive()) lines.push('WATCHDOG=1');
    this.#tell(lines);
  }

  /** That this runs at all is the sign of the primary's own loop. */
  #isAlive(): boolean {
    this.#heardOfWorkersAt = Math.max(this.#heardOfWorkersAt, this.#options.service.view.heardOfWorkersAt);
    if (this.#state !== 'ready' && this.#state !== 'reloading') return true;
    return this.#options.now() - this.#heardOfWorkersAt <= WORKERS_SILENT_MS;
  }

  #status(isForced: boolean): string[] {
    const now = this.#options.now();
    if (!isForced && now - this.#statusAt < STATUS_EVERY_MS) return [];
    const line = statusLine(this.#options.service.view.status());
    if (line === this.#statusLine) return [];
    this.#statusLine = line;
    this.#statusAt = now;
    return [`STATUS=${line}`];
  }

  #tell(lines: readonly string[]): void {
    if (lines.length > 0) this.#options.socket.send(lines.join('\n'));
  }
}

/** What systemd hears when the service goes from one state to another. */
function transition(before: ServiceState, state: ServiceState): string[] {
  switch (state) {
    case 'stopping':
      return ['STOPPING=1', extension()];
    case 'reloading':
      return ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`];
    case 'ready':
      return ['READY=1'];
    case 'starting':
    case 'draining':
    case 'drained':
      // A reload that a drain overtook has come to its end.
      return before === 'reloading' ? ['READY=1'] : [];
  }
}

function extension(): string {
  return `EXTEND_TIMEOUT_USEC=${EXTENSION_MS * 1_000}`;
}
