// Finds out before any worker is forked whether the address can be listened on, and says so in one line if not.
import net from 'node:net';
import { codeOf, messageOf } from '../errors.ts';

/** The address cannot be listened on. */
export class ListenError extends Error {}

/** @throws ListenError naming the setting to change */
export function assertPortIsFree(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', (cause) => reject(new ListenError(explain(cause, host, port), { cause })));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function explain(cause: Error, host: string, port: number): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use by another process; stop that one or change FLOW_PROXY_PORT`;
    case 'EACCES':
      return `port ${port} needs privileges; take one above 1023 (FLOW_PROXY_PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `"${host}" is no address of this machine (FLOW_PROXY_HOST)`;
    default:
      return `cannot listen on ${host}:${port}: ${messageOf(cause)}`;
  }
}
