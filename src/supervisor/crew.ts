// The worker processes: forks them, hears them, tells of their end. node:cluster's primary side is known only here.
// Which worker is wanted where is slots.ts's.
import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { onWorkerMessage } from '../ipc/channel.ts';
import type { BootMessage, PoolMessage, ToPrimary, ToWorker } from '../ipc/messages.ts';
import type { LogSink } from '../logging/log-sink.ts';
import type { Logger } from '../logging/logger.ts';
import { Dealer } from './dealer.ts';
import type { Launch } from './launch.ts';
import { workerEnvironment } from './worker-environment.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface CrewOptions {
  readonly log: Logger;
  readonly sink: LogSink;
  /** The primary's; workers inherit next to nothing of it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Descriptor of a listening socket that systemd passed; null for none. */
  readonly passedSocket: number | null;
}

export interface CrewEvents {
  message: [WorkerHandle, ToPrimary];
  /** A process is gone, and how that came about. */
  exit: [WorkerHandle, string];
}

const MB = 1024 * 1024;
/**
 * There are workers for all processors: threads that help one of them with its garbage wait for a processor that another
 * one has, and the worker for them. See "Large bodies" in docs/performance.md.
 */
const COLLECTS_ALONE = ['--single-threaded-gc'];
/** What a worker gets beyond its drain deadline to leave by itself. */
const LEAVE_MS = 5_000;

export class Crew {
  readonly events: EventEmitter<CrewEvents> = new EventEmitter<CrewEvents>();
  /** It began with one worker, which takes its connections by itself, as all that join it later will. */
  readonly beganAlone: boolean;
  /** The primary takes connections and deals them out; else workers take theirs by themselves. */
  readonly dealsOut: boolean;
  readonly #options: CrewOptions;
  readonly #handles = new Map<Worker, WorkerHandle>();
  readonly #dealer = new Dealer();

  /** @param isOne the service starts with a single worker */
  constructor(options: CrewOptions, isOne: boolean) {
    this.#options = options;
    // A connection that the primary has taken is lost when the last worker goes before it was handed over. Where clients
    // are to wait for the next start, each worker therefore takes its own from the socket, and leaves the others there.
    // And a single one need not have them dealt out, which costs more than to answer a request. Node takes this once.
    this.beganAlone = options.passedSocket === null && isOne;
    this.dealsOut = options.passedSocket === null && !isOne;
    cluster.schedulingPolicy = this.dealsOut ? cluster.SCHED_RR : cluster.SCHED_NONE;
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker, code, signal));
  }

  /** Every process that has not ended, oldest first. */
  get handles(): readonly WorkerHandle[] {
    return [...this.#handles.values()];
  }

  /** @throws Error when there can be no process now, for want of memory or file descriptors */
  fork(slot: number, launch: Launch): WorkerHandle {
    const { sink, log, environment } = this.#options;
    cluster.setupPrimary({
      exec: launch.workerFile,
      args: [],
      execArgv: [`--max-old-space-size=${Math.floor(launch.heapBytes / MB)}`, ...COLLECTS_ALONE],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const worker = cluster.fork(workerEnvironment(environment));
    // Without file descriptors Node begins none of it, and says so in a moment.
    if (worker.process.send === undefined) {
      worker.on('error', () => {});
      Reflect.deleteProperty(cluster.workers ?? {}, worker.id);
      throw new Error('no file descriptors are left');
    }
    const handle = new WorkerHandle(slot, worker, launch);
    this.#handles.set(worker, handle);
    this.#dealer.add(worker, () => handle.stage === 'ready');
    this.#forgetWhenGone(worker);
    onWorkerMessage(worker, (message) => {
      handle.lastHeartbeatAt = performance.now();
      this.events.emit('message', handle, message);
    });
    worker.on('error', (cause) => {
      log.warning({ msg: `Worker ${slot}: ${cause.message}` });
      // There are as many processes as there may be: what never began does not end either.
      if (worker.process.pid === undefined) this.#onExit(worker, null, `a failed fork (${cause.message})`);
    });
    const { stdout, stderr } = worker.process;
    if (stdout !== null) sink.attachLog(stdout);
    if (stderr !== null) {
      sink.attachText(stderr, (text) => log.warning({ msg: `Worker ${slot} wrote: ${text}`, worker: slot }));
    }
    return handle;
  }

  sendToAll(message: Exclude<ToWorker, BootMessage | PoolMessage>): void {
    for (const handle of this.handles) handle.send(message);
  }

  /** Lets a worker finish what it has; it exits by itself, or is made to after the deadline. */
  drain(handle: WorkerHandle, deadlineMs: number): void {
    handle.stage = 'draining';
    if (!handle.hasStarted) {
      handle.kill('SIGKILL, as it is not needed any more');
      return;
    }
    handle.send({ type: 'drain', deadlineMs });
    const timer = setTimeout(
      () => handle.kill('it did not leave after its drain deadline'),
      deadlineMs + LEAVE_MS,
    );
    handle.worker.once('exit', () => clearTimeout(timer));
  }

  /** Ends what a draining worker still has under way; clients are told why. */
  cutOff(handle: WorkerHandle): void {
    this.drain(handle, 0);
  }

  /** How many of a worker's connections have closed since it last said so. */
  onClosed(handle: WorkerHandle, count: number): void {
    this.#dealer.onClosed(handle.worker, count);
  }

  /** Node has put a worker out of its books when both its process and its channel are gone. */
  #forgetWhenGone(worker: Worker): void {
    const onGone = (): void => {
      if (!worker.isDead() || worker.isConnected()) return;
      // Once all that have ended in this turn are known to have.
      setImmediate(() => this.#dealer.remove(worker));
    };
    worker.once('exit', onGone).once('disconnect', onGone);
  }

  #onExit(worker: Worker, code: number | null, signal: string | null): void {
    const handle = this.#handles.get(worker);
    if (handle === undefined) return;
    this.#handles.delete(worker);
    const how = handle.killedFor ?? explainSignal(signal, handle.launch) ?? `exit code ${code ?? 'unknown'}`;
    handle.onExit(how);
    this.events.emit('exit', handle, how);
  }
}

/** V8 aborts the process when its heap is full; what it says then comes by standard error, perhaps later. */
function explainSignal(signal: string | null, { heapBytes }: Launch): string | null {
  if (signal !== 'SIGABRT') return signal;
  const heap = Math.floor(heapBytes / MB);
  return `SIGABRT, most likely as its heap was full (FLOW_PROXY_HEAP_MB, ${heap} MB)`;
}
