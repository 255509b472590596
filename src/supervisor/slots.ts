// Which worker belongs to each slot: fills them, fills them again when one dies, and hands one over from worker to
// worker. Every other process of the crew has been replaced and drains.
import { EventEmitter } from 'node:events';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import type { Crew } from './crew.ts';
import type { Launch } from './launch.ts';
import { type Death, decideRespawn } from './respawn.ts';
import type { Boot, WorkerHandle } from './worker-handle.ts';

interface Slot {
  readonly number: number;
  /** null between the death of its worker and the next fork. */
  current: WorkerHandle | null;
  /** Boots to take the slot over. */
  next: WorkerHandle | null;
  respawn: NodeJS.Timeout | undefined;
}

export interface SlotEvents {
  /** Workers end as fast as they are forked; the sentence says how. */
  crashLoop: [string];
}

const GONE: Boot = { type: 'failed', reason: 'its slot was taken away' };
/** A worker that has not said within this time that it can serve never will. */
const BOOT_MS = 30_000;
/** Deaths remembered for the respawn decision. */
const DEATHS_REMEMBERED = 100;

export class Slots {
  readonly events: EventEmitter<SlotEvents> = new EventEmitter<SlotEvents>();
  readonly #crew: Crew;
  readonly #log: Logger;
  #launch: Launch;
  #slots: Slot[] = [];
  #deaths: Death[] = [];
  /** The latest replacement. */
  #turn: Promise<unknown> = Promise.resolve();
  #hasStarted = false;
  /** Nothing is forked any more. */
  #isClosed = false;

  constructor(crew: Crew, launch: Launch, log: Logger) {
    this.#crew = crew;
    this.#launch = launch;
    this.#log = log;
    crew.events.on('exit', (handle, how) => this.#onExit(handle, how));
  }

  /** What a worker is forked with that takes the place of a dead one. */
  get launch(): Launch {
    return this.#launch;
  }

  set launch(launch: Launch) {
    this.#launch = launch;
  }

  get size(): number {
    return this.#slots.length;
  }

  /** The workers that are to serve, in the order of the slots; where one is being replaced, both. */
  get handles(): WorkerHandle[] {
    return this.#slots.flatMap(({ current, next }) => [current, next]).filter((handle) => handle !== null);
  }

  get ready(): WorkerHandle[] {
    return this.#slots.flatMap(({ current }) => (current?.stage === 'ready' ? [current] : []));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All serve for the first time: from now on these are not given up because another cannot be started. */
  onStarted(): void {
    this.#hasStarted = true;
  }

  /** Adds slots and waits for their workers, or takes the last ones away and drains their workers. */
  async resize(size: number): Promise<void> {
    const before = this.#slots.length;
    this.open(size - before);
    await Promise.all(this.#slots.slice(before).map(({ current }) => current?.booted));
    for (const { current, next, respawn } of this.#slots.splice(size)) {
      clearTimeout(respawn);
      for (const handle of [current, next]) if (handle !== null) this.#drain(handle);
    }
  }

  /** Adds slots with new workers. */
  open(count: number): void {
    for (let added = 0; added < count && !this.#isClosed; added += 1) {
      const slot: Slot = { number: this.#slots.length, current: null, next: null, respawn: undefined };
      this.#slots.push(slot);
      this.#fill(slot);
    }
  }

  /** Takes all slots away; what becomes of their workers is the caller's. */
  clear(): void {
    for (const { respawn } of this.#slots) clearTimeout(respawn);
    this.#slots = [];
  }

  /** The same for good: nothing is forked any more. */
  close(): void {
    this.#isClosed = true;
    this.clear();
  }

  /** The worker says that it is leaving by itself, as after a fault: its slot is filled again at once. */
  onLeaving(handle: WorkerHandle, how: string): void {
    handle.stage = 'draining';
    this.#onExit(handle, how);
  }

  /**
   * Forks a new worker for a slot and, once that serves, drains the old one. When the new one cannot serve, the old
   * one stays. One at a time, whoever asks.
   */
  replace(number: number, launch: Launch): Promise<Boot> {
    const boot = this.#turn.then(() => this.#replace(number, launch));
    this.#turn = boot.catch(() => {});
    return boot;
  }

  async #replace(number: number, launch: Launch): Promise<Boot> {
    const slot = this.#slots[number];
    if (slot === undefined) return GONE;
    clearTimeout(slot.respawn);
    const boot = await this.#tryNext(slot, launch);
    if (this.#slots[number] !== slot) return GONE;
    if (boot.type === 'failed' && slot.current === null) this.#fill(slot);
    return boot;
  }

  async #tryNext(slot: Slot, launch: Launch): Promise<Boot> {
    let next: WorkerHandle;
    try {
      next = this.#fork(slot.number, launch);
    } catch (cause) {
      return { type: 'failed', reason: failedFork(cause) };
    }
    slot.next = next;
    const boot = await next.booted;
    slot.next = null;
    if (boot.type === 'ready' && this.#slots[slot.number] === slot) this.#handOver(slot, next);
    return boot;
  }

  #handOver(slot: Slot, next: WorkerHandle): void {
    const old = slot.current;
    slot.current = next;
    if (old !== null) this.#drain(old);
  }

  #drain(handle: WorkerHandle): void {
    this.#crew.drain(handle, handle.launch.generation.drainTimeoutMs);
  }

  #fill(slot: Slot): void {
    if (this.#isClosed) return;
    try {
      slot.current = this.#fork(slot.number, this.#launch);
    } catch (cause) {
      this.#onDeath(slot, { at: Date.now(), lifetimeMs: 0, wasReady: false }, failedFork(cause));
    }
  }

  #fork(slot: number, launch: Launch): WorkerHandle {
    const handle = this.#crew.fork(slot, launch);
    const timer = setTimeout(() => handle.kill(`SIGKILL after ${BOOT_MS / 1000} s without serving`), BOOT_MS);
    void handle.booted.then(() => clearTimeout(timer));
    return handle;
  }

  #onExit(handle: WorkerHandle, how: string): void {
    const slot = this.#slots[handle.slot];
    if (slot?.current !== handle) return;
    slot.current = null;
    const now = Date.now();
    const death = { at: now, lifetimeMs: now - handle.startedAt, wasReady: handle.wasReady };
    this.#onDeath(slot, death, how, handle.pid);
  }

  #onDeath(slot: Slot, death: Death, how: string, pid?: number): void {
    this.#deaths = [...this.#deaths, death].slice(-DEATHS_REMEMBERED);
    const decision = decideRespawn(this.#deaths, this.#hasStarted && this.ready.length > 0);
    if (decision.type === 'giveUp') {
      this.#log.error({ msg: `Giving up: ${decision.reason}; the last one by ${how}`, worker: slot.number });
      this.events.emit('crashLoop', decision.reason);
      return;
    }
    const { delayMs } = decision;
    this.#log.error({
      msg: `Worker ${slot.number} ended by ${how}; a new one follows in ${delayMs} ms`,
      worker: slot.number,
      pid,
    });
    // Its successor may be booting already.
    if (slot.next === null) slot.respawn = setTimeout(() => this.#fill(slot), delayMs);
  }
}

function failedFork(cause: unknown): string {
  return `a failed fork (${messageOf(cause)})`;
}
