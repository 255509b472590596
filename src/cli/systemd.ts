// Connects the service with the systemd that started it, if one did: reports to it, and takes its listening socket.
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { ListenError } from '../supervisor/listen-check.ts';
import { notifyPath, passedSocket, watchdogMs } from '../supervisor/systemd/environment.ts';
import { openNotifySocket } from '../supervisor/systemd/notify-socket.ts';
import { type ReportedService, SystemdReporter } from '../supervisor/systemd/reporter.ts';

/** @throws ListenError when there are several sockets */
export function socketFromSystemd(): number | null {
  try {
    return passedSocket(process.env, process.pid);
  } catch (cause) {
    throw new ListenError(messageOf(cause), { cause });
  }
}

/** null when nobody wants reports, or none can be sent. */
export async function reportToSystemd(
  service: ReportedService,
  log: Logger,
): Promise<SystemdReporter | null> {
  const path = notifyPath(process.env);
  if (path === null) return null;
  const complain = once((cause: Error) =>
    log.error({ msg: `systemd cannot be told how the service is: ${cause.message}` }),
  );
  try {
    const socket = await openNotifySocket(path, complain);
    const reporter = new SystemdReporter({
      service,
      socket,
      watchdogMs: watchdogMs(process.env, process.pid),
      now: () => performance.now(),
    });
    reporter.start();
    return reporter;
  } catch (cause) {
    complain(cause instanceof Error ? cause : new Error(messageOf(cause)));
    return null;
  }
}

/** One line is enough: systemd itself acts on what it misses. */
function once(act: (cause: Error) => void): (cause: Error) => void {
  let isDone = false;
  return (cause) => {
    if (!isDone) act(cause);
    isDone = true;
  };
}
