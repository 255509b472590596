// Is the port that clients connect to free, or ours already, or somebody else's?
import net from 'node:net';
import type { ServiceStatus } from '../control/status.ts';
import { codeOf, messageOf } from '../errors.ts';
import { type Finding, fail, ok } from './finding.ts';
import { portOwner } from './port-owner.ts';

export interface Door {
  readonly host: string;
  readonly port: number;
}

/** @param running what the service says that answers at our control socket; null when none does */
export async function checkPort({ host, port }: Door, running: ServiceStatus | null): Promise<Finding> {
  if (port === 0) return ok('port', 'any free one is taken (FLOW_PROXY_PORT is 0)');
  const cause = await tryToListen({ host, port });
  if (cause === null) return ok('port', `${port} on ${host} is free`);
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return taken({ host, port }, running);
    case 'EACCES':
      return fail('port', `${port} needs privileges`, 'take one above 1023 (FLOW_PROXY_PORT)');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('port', `"${host}" is no address of this machine`, 'correct FLOW_PROXY_HOST');
    default:
      return fail('port', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, 'change FLOW_PROXY_PORT');
  }
}

function taken({ host, port }: Door, running: ServiceStatus | null): Finding {
  if (running !== null && running.listen.port === port) {
    const { pid, version, state } = running;
    return ok(
      'port',
      `${port} on ${host} is held by our own service: pid ${pid}, version ${version}, ${state}`,
    );
  }
  const owner = portOwner(port);
  if (owner?.name.startsWith('flow-proxy')) {
    return ok('port', `${port} on ${host} is held by a flow-proxy, pid ${owner.pid}, that we cannot ask`);
  }
  if (owner?.pid === 1) {
    return ok('port', `${port} on ${host} is held by the init system for a service that it starts on demand`);
  }
  const who = owner === null ? 'another process (root can see which)' : `${owner.name}, pid ${owner.pid}`;
  return fail('port', `${port} on ${host} is in use by ${who}`, 'stop that one, or change FLOW_PROXY_PORT');
}

/** @returns what is in the way; null when nothing is */
function tryToListen({ host, port }: Door): Promise<Error | null> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}
