// What Linux allows: open files, waiting connections, local ports. Judged by what the settings may need of them.
import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { affordableConnections, neededFiles } from '../host/open-files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** Not even a shell's default is lower. */
const LEAST_FILES = 1024;
const LEAST_QUEUE = 1024;

/** @param pid of the running service; null for this process, which gets the same where it is started alike */
export function checkLimits(settings: Settings, numWorkers: number, pid: number | null): Finding[] {
  const limits = textOf(`/proc/${pid ?? 'self'}/limits`) ?? textOf('/proc/self/limits');
  return [
    checkOpenFiles(limits, settings),
    checkQueue(textOf('/proc/sys/net/core/somaxconn')),
    checkLocalPorts(textOf('/proc/sys/net/ipv4/ip_local_port_range'), settings, numWorkers),
  ];
}

/** Node.js raises the soft limit to the hard one by itself. @param limits text of /proc/PID/limits */
export function checkOpenFiles(limits: string | null, { inbound }: Pick<Settings, 'inbound'>): Finding {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits ?? '')?.[1];
  if (hard === undefined) return notLinux('open files');
  const allowed = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  const connections = inbound.connections === 'auto' ? affordableConnections(allowed) : inbound.connections;
  const needed = neededFiles(connections);
  const what = `${hard} per process`;
  if (allowed >= needed) return ok('open files', what);
  const message = `${what}, while ${needed} may be needed (FLOW_PROXY_MAX_CONNECTIONS)`;
  const fix = `set LimitNOFILE=65536 in the unit, or raise it with \`ulimit -n 65536\`, or lower the setting to ${affordableConnections(allowed)}`;
  return allowed < LEAST_FILES ? fail('open files', message, fix) : warn('open files', message, fix);
}

/** @param somaxconn text of /proc/sys/net/core/somaxconn */
export function checkQueue(somaxconn: string | null): Finding {
  if (somaxconn === null) return notLinux('somaxconn');
  const length = Number(somaxconn.trim());
  if (length >= LEAST_QUEUE) return ok('somaxconn', `${length} connections may wait to be accepted`);
  const message = `only ${length} connections may wait to be accepted: a burst loses some`;
  return warn('somaxconn', message, `\`sysctl -w net.core.somaxconn=${LEAST_QUEUE}\`, and in /etc/sysctl.d`);
}

/** @param range text of /proc/sys/net/ipv4/ip_local_port_range */
export function checkLocalPorts(
  range: string | null,
  { inbound, port }: Pick<Settings, 'inbound' | 'port'>,
  numWorkers: number,
): Finding {
  const [first = 0, last = 0] = (range ?? '').trim().split(/\s+/).map(Number);
  if (last === 0) return notLinux('local ports');
  const available = last - first + 1;
  const needed = numWorkers * inbound.inFlight;
  const fix = '`sysctl -w net.ipv4.ip_local_port_range="10000 65535"`, and in /etc/sysctl.d';
  if (available < needed) {
    const message = `${first}–${last} are ${available}, while ${needed} connections to the upstream may be open`;
    return warn('local ports', message, fix);
  }
  if (port >= first && port <= last) {
    const message = `${first}–${last} hold our own port ${port}: an outgoing connection may take it before we do`;
    return warn('local ports', message, `\`sysctl -w net.ipv4.ip_local_reserved_ports=${port}\``);
  }
  return ok('local ports', `${first}–${last}, ${available} for connections to the upstream`);
}

function notLinux(check: string): Finding {
  return ok(check, 'not looked at: this is not Linux, or /proc is closed');
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
