// Kills workers that say nothing for too long: they hang, and their connections with them.
import type { Logger } from '../logging/logger.ts';
import type { Crew } from './crew.ts';

export class HeartbeatWatch {
  readonly #crew: Crew;
  readonly #log: Logger;
  readonly #everyMs: number;
  #lookedAt: number = performance.now();

  /** @param everyMs how often it is called */
  constructor(crew: Crew, log: Logger, everyMs: number) {
    this.#crew = crew;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** @param now performance.now() */
  look(now: number): void {
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    // We were held up ourselves (a suspended laptop, SIGSTOP): what workers said meanwhile is still to be read.
    if (elapsed > 2 * this.#everyMs) {
      for (const handle of this.#crew.handles) handle.lastHeartbeatAt = now;
      return;
    }
    for (const handle of this.#crew.handles) {
      const silentMs = now - handle.lastHeartbeatAt;
      // One that boots gives no heartbeat yet; slots.ts bounds that.
      if (handle.stage === 'booting' || handle.killedFor !== null) continue;
      if (silentMs <= handle.launch.generation.heartbeatTimeoutMs) continue;
      const seconds = Math.round(silentMs / 1000);
      const { slot, pid } = handle;
      this.#log.error({
        msg: `Worker ${slot} has been silent for ${seconds} s: killing it`,
        worker: slot,
        pid,
      });
      handle.kill(`SIGKILL after ${seconds} s of silence`);
    }
  }
}
