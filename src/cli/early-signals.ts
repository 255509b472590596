// Signals that come while the program is being loaded and a service prepared: `kill -HUP` and logrotate's USR2 would end
// a process that does not listen to them yet. Where they lead to is start.ts's.
import { setImmediate } from 'node:timers/promises';

const HELD = ['SIGHUP', 'SIGUSR2'] as const;

/** A signal that asks a service for something. */
export type HeldSignal = (typeof HELD)[number];

export class EarlySignals {
  readonly #came = new Set<HeldSignal>();
  readonly #hold = (signal: NodeJS.Signals): void => {
    for (const held of HELD) if (held === signal) this.#came.add(held);
  };

  /** Holds them from now on. */
  constructor() {
    for (const signal of HELD) process.on(signal, this.#hold);
  }

  /** Has each of them listened to from now on, beginning with those that came. */
  passTo(listeners: Readonly<Record<HeldSignal, () => void>>): void {
    for (const signal of HELD) process.on(signal, listeners[signal]);
    this.#release();
    for (const signal of this.#came) listeners[signal]();
  }

  /** Lets them do what they do to any process, those that came included. */
  async drop(): Promise<void> {
    // What came while modules were loaded in one go is told in the next turn of the loop only.
    await setImmediate();
    this.#release();
    for (const signal of this.#came) process.kill(process.pid, signal);
  }

  #release(): void {
    for (const signal of HELD) process.off(signal, this.#hold);
  }
}
