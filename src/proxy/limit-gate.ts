// Asks the primary whether an exchange of a limited client key may begin, since limits hold over all workers. Only
// such exchanges ask; a primary that does not answer in time lets nobody in.
import type { EventEmitter } from 'node:events';
import type { LimitVerdict } from '../clients/limits.ts';

/** The way to the primary. */
export interface LimitDesk {
  admit(admission: number, client: string): void;
  release(admission: number): void;
}

/** The primary's verdict, or that it gave none in time. */
export type GateVerdict = LimitVerdict | { readonly type: 'unanswered' };

const WAIT_MS = 2_000;

/** Numbers the questions, and gives back what was granted. */
export class LimitGate {
  readonly #desk: LimitDesk;
  readonly #waitMs: number;
  readonly #waiting = new Map<number, (verdict: LimitVerdict) => void>();
  #last = 0;

  constructor(desk: LimitDesk, waitMs: number = WAIT_MS) {
    this.#desk = desk;
    this.#waitMs = waitMs;
  }

  /**
   * Calls back once, unless the client leaves before.
   * @param connection emits `close` when the exchange is over; it must not have done so yet
   */
  enter(client: string, connection: EventEmitter, onVerdict: (verdict: GateVerdict) => void): void {
    this.#last += 1;
    const admission = this.#last;
    // The primary reads in order: it has granted before it is told that the grant is given back.
    const onClose = (): void => {
      this.#forget(admission, timer);
      this.#desk.release(admission);
    };
    const timer = setTimeout(() => {
      connection.off('close', onClose);
      onClose();
      onVerdict({ type: 'unanswered' });
    }, this.#waitMs);
    this.#waiting.set(admission, (verdict) => {
      this.#forget(admission, timer);
      if (verdict.type !== 'admitted') connection.off('close', onClose);
      onVerdict(verdict);
    });
    connection.once('close', onClose);
    this.#desk.admit(admission, client);
  }

  /** The primary has answered; too late is as good as never. */
  onAdmitted(admission: number, verdict: LimitVerdict): void {
    this.#waiting.get(admission)?.(verdict);
  }

  #forget(admission: number, timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    this.#waiting.delete(admission);
  }
}
