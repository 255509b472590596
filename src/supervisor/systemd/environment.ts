// What systemd tells a service by its environment: where to report to, how often to give a sign of life, which sockets
// it was started with. Pure. https://www.freedesktop.org/software/systemd/man/sd_notify.html, sd_listen_fds.html

type Environment = Readonly<Record<string, string | undefined>>;

/** systemd passes sockets from this descriptor on. */
const FIRST_FD = 3;

/** Path of the socket for reports; null when nobody wants any. */
export function notifyPath(environment: Environment): string | null {
  const path = environment['NOTIFY_SOCKET'] ?? '';
  return path === '' ? null : path;
}

/**
 * Within how many milliseconds the next WATCHDOG=1 is wanted; null when there is no watchdog, or it is for another
 * process.
 */
export function watchdogMs(environment: Environment, pid: number): number | null {
  const usec = Number(environment['WATCHDOG_USEC'] ?? '');
  const isOurs = (environment['WATCHDOG_PID'] ?? String(pid)) === String(pid);
  return isOurs && Number.isFinite(usec) && usec > 0 ? usec / 1000 : null;
}

/**
 * The descriptor of the listening socket that systemd passed to this very process; null when it passed none.
 * @throws Error when there are several, since only one can be served
 */
export function passedSocket(environment: Environment, pid: number): number | null {
  if (environment['LISTEN_PID'] !== String(pid)) return null;
  const count = Number(environment['LISTEN_FDS'] ?? '0');
  if (count > 1) {
    throw new Error(`systemd passed ${count} sockets; flow-proxy.socket may have one ListenStream= only`);
  }
  return count === 1 ? FIRST_FD : null;
}
