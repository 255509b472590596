// Announces every change of what the upstream has seen, so that tests await events instead of sleeping.
import { EventEmitter } from 'node:events';
import type { RequestRecord } from './record.ts';

/** Looks at the changed request (null: a connection changed); anything but undefined ends the wait. */
export type Probe<T> = (changed: RequestRecord | null) => T | undefined;

export class Changes {
  readonly #emitter = new EventEmitter();

  constructor() {
    this.#emitter.setMaxListeners(0);
  }

  announce(changed: RequestRecord | null): void {
    this.#emitter.emit('change', changed);
  }

  /** Ends every wait with an error: the upstream is gone and nothing will change any more. */
  close(): void {
    this.#emitter.emit('closed');
  }

  /** Resolves with the first defined answer of `probe`; rejects after `timeoutMs`. */
  until<T>(probe: Probe<T>, timeoutMs: number): Promise<T> {
    const emitter = this.#emitter;
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        emitter.off('change', look).off('closed', closed);
      };
      const fail = (why: string): void => {
        stop();
        reject(new Error(`simulated upstream: ${why}`));
      };
      const look = (changed: RequestRecord | null): void => {
        try {
          const found = probe(changed);
          if (found === undefined) return;
          stop();
          resolve(found);
        } catch (error) {
          stop();
          reject(error);
        }
      };
      const closed = (): void => fail('closed before the awaited change');
      const timer = setTimeout(
        () => fail(`the awaited change did not come within ${timeoutMs} ms`),
        timeoutMs,
      );
      emitter.on('change', look).on('closed', closed);
    });
  }
}
