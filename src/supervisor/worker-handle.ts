// A worker as the primary sees it. What runs in the worker's own process is workers/proxy-worker.ts.
import type { Worker } from 'node:cluster';
import { sendToWorker } from '../ipc/channel.ts';
import type { BootMessage, PoolMessage, ToWorker } from '../ipc/messages.ts';

export type Stage = 'booting' | 'ready' | 'draining';

/** One forked process and what is known of it. */
export class WorkerHandle {
  readonly slot: number;
  readonly worker: Worker;
  readonly startedAt: number;
  stage: Stage = 'booting';
  wasReady = false;
  inFlight = 0;
  /** performance.now(), which no clock change touches. */
  lastHeartbeatAt: number;
  /** Its latest failure report that the ledger has taken into account. */
  acknowledged = 0;

  constructor(slot: number, worker: Worker, now: number) {
    this.slot = slot;
    this.worker = worker;
    this.startedAt = now;
    this.lastHeartbeatAt = performance.now();
  }

  /** Of the process, not of the slot: two may share that while one drains. */
  get id(): number {
    return this.worker.id;
  }

  get pid(): number | undefined {
    return this.worker.process.pid;
  }

  boot(message: Omit<BootMessage, 'type' | 'slot' | 'worker'>): void {
    sendToWorker(this.worker, { type: 'boot', slot: this.slot, worker: this.id, ...message });
  }

  sendPool(message: Omit<PoolMessage, 'type' | 'acknowledged'>): void {
    sendToWorker(this.worker, { type: 'pool', acknowledged: this.acknowledged, ...message });
  }

  send(message: Exclude<ToWorker, BootMessage | PoolMessage>): void {
    sendToWorker(this.worker, message);
  }

  /** Lets it finish what it has; it exits by itself. */
  drain(deadlineMs: number): void {
    this.stage = 'draining';
    this.send({ type: 'drain', deadlineMs });
  }

  kill(): void {
    this.worker.process.kill('SIGKILL');
  }
}
