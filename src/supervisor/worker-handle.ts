// A worker as the primary sees it. What runs in the worker's own process is workers/proxy-worker.ts.
import type { Worker } from 'node:cluster';
import type { WorkerStage } from '../control/status.ts';
import { sendToWorker } from '../ipc/channel.ts';
import type { BootMessage, Heartbeat, PoolMessage, ToWorker } from '../ipc/messages.ts';
import type { Launch } from './launch.ts';

/** How a boot ended. */
export type Boot =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly reason: string };

/** One forked process and what is known of it. */
export class WorkerHandle {
  readonly slot: number;
  readonly worker: Worker;
  readonly launch: Launch;
  /** Epoch milliseconds. */
  readonly startedAt: number = Date.now();
  /** Resolves, once, when it serves or never will. */
  readonly booted: Promise<Boot>;
  stage: WorkerStage = 'booting';
  /** It listens to messages; those before that are lost. */
  hasStarted = false;
  wasReady = false;
  inFlight = 0;
  rssBytes = 0;
  loopDelayMs = 0;
  /** performance.now(), which no clock change touches. */
  lastHeartbeatAt: number = performance.now();
  /** Its latest failure report that the ledger has taken into account. */
  acknowledged = 0;
  /** Why, in its own words. */
  cannotServe: string | null = null;
  /** Why it was killed, when it was us. */
  killedFor: string | null = null;
  #settleBoot: (boot: Boot) => void = () => {};

  constructor(slot: number, worker: Worker, launch: Launch) {
    this.slot = slot;
    this.worker = worker;
    this.launch = launch;
    this.booted = new Promise((resolve) => {
      this.#settleBoot = resolve;
    });
  }

  /** Of the process, not of the slot: two may share that while one drains. */
  get id(): number {
    return this.worker.id;
  }

  get pid(): number {
    return this.worker.process.pid ?? 0;
  }

  get generation(): number {
    return this.launch.generation.number;
  }

  /** The answer to `started`. */
  boot(message: Omit<BootMessage, 'type' | 'slot' | 'worker' | 'generation'>): void {
    this.hasStarted = true;
    const { generation } = this.launch;
    sendToWorker(this.worker, { type: 'boot', slot: this.slot, worker: this.id, generation, ...message });
  }

  onReady(port: number): void {
    if (this.stage === 'booting') this.stage = 'ready';
    this.wasReady = true;
    this.#settleBoot({ type: 'ready', port });
  }

  onHeartbeat({ inFlight, rssBytes, loopDelayMs }: Heartbeat): void {
    this.inFlight = inFlight;
    this.rssBytes = rssBytes;
    this.loopDelayMs = loopDelayMs;
  }

  /** The process is gone. */
  onExit(how: string): void {
    this.inFlight = 0;
    this.#settleBoot({ type: 'failed', reason: this.cannotServe ?? `it ended by ${how}` });
  }

  sendPool(message: Omit<PoolMessage, 'type' | 'acknowledged'>): void {
    sendToWorker(this.worker, { type: 'pool', acknowledged: this.acknowledged, ...message });
  }

  send(message: Exclude<ToWorker, BootMessage | PoolMessage>): void {
    sendToWorker(this.worker, message);
  }

  /** @param reason for the log line of its end */
  kill(reason: string): void {
    this.killedFor ??= reason;
    this.worker.process.kill('SIGKILL');
  }
}
