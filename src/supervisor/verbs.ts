// What a running service does when it is asked to by its control socket. Signals do the same: src/cli/start.ts.
import { setTimeout as pause } from 'node:timers/promises';
import { done, type VerbReply } from '../control/reply.ts';
import type { Verb } from './control-server.ts';
import { operatorVerbs } from './operator-verbs.ts';
import type { Reload, Supervisor } from './supervisor.ts';

/** A service that is stopped twice is cut short, and ends as by a second SIGTERM. */
const CUT_EXIT_CODE = 143;

/** Whoever asks for the status does not wait longer than this for the figures of the host. */
const HOST_FIGURES_MS = 1_500;

/** The verbs every service knows, by name; `wait` in the argument asks for the outcome. */
export function serviceVerbs(supervisor: Supervisor): Record<string, Verb> {
  return {
    ...operatorVerbs(supervisor),
    status: async () => {
      await Promise.race([supervisor.view.refreshHost(), pause(HOST_FIGURES_MS, undefined, { ref: false })]);
      return supervisor.view.status();
    },
    reload: async ({ wait }) => {
      const reload = supervisor.reload('reload command');
      return wait === true ? replyOf(await reload) : done('a reload has begun');
    },
    reopen: async () => {
      const failure = await supervisor.reopenLog('reopen command');
      if (failure === undefined) return done('the log was reopened');
      return { ...done('the log could not be reopened', [failure.message]), outcome: 'refused' };
    },
    drain: () => {
      const refusal = supervisor.drain('drain command');
      if (refusal !== undefined) return { ...done(`not draining: ${refusal}`), outcome: 'refused' };
      return done('draining; a reload serves again, a stop ends the service');
    },
    stop: async ({ wait }) => {
      supervisor.stop('stop command', CUT_EXIT_CODE);
      if (wait !== true) return done('draining, then ending');
      const { reason, exitCode } = await supervisor.ended;
      return done(`ended with exit code ${exitCode}: ${reason}`);
    },
  };
}

function replyOf({ outcome, reasons, needRestart, logFailure }: Reload): VerbReply {
  const pending = needRestart.map((variable) => `${variable} takes effect at the next restart`);
  const log = logFailure === undefined ? [] : [`the log could not be reopened: ${logFailure.message}`];
  const details = [...reasons, ...pending, ...log];
  switch (outcome) {
    case 'applied':
      return done('reloaded', details);
    case 'unchanged':
      return done(`nothing has changed${log.length > 0 ? '' : '; the log was reopened'}`, details);
    case 'refused':
      return { ...done('the reload was refused, everything stays as it was', details), outcome: 'refused' };
    case 'failed':
      return { ...done('the reload failed, the old settings go on', details), outcome: 'refused' };
  }
}
