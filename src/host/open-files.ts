// How many files, and thus connections, a process of ours may have open at a time (RLIMIT_NOFILE).
import { type ReadFile, readOrNull } from './cgroup.ts';

/** Each client connection may have one to the upstream. */
const FILES_PER_CONNECTION = 2;
/** For code, logs, pipes, idle connections to the upstream. */
const RESERVE = 500;
/** What `auto` is where files are plenty. */
const MOST_CONNECTIONS = 10_000;

/** Infinity where the system does not tell. Node has raised the soft limit to the hard one when it started. */
export function openFileLimit(read: ReadFile = readOrNull): number {
  const soft = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/** Connections of a worker that the limit has room for, at least one. */
export function affordableConnections(limit: number): number {
  return Math.max(1, Math.min(MOST_CONNECTIONS, Math.floor((limit - RESERVE) / FILES_PER_CONNECTION)));
}

/** Files that so many connections of a worker may come to. */
export function neededFiles(connections: number): number {
  return connections * FILES_PER_CONNECTION + RESERVE;
}

/** What to say when a setting asks for more connections than there may be files; undefined when it does not. */
export function openFilesWarning(connections: number, limit: number): string | undefined {
  const needed = neededFiles(connections);
  if (needed <= limit) return undefined;
  return `FLOW_PROXY_MAX_CONNECTIONS ${connections} may need ${needed} open files and the limit is ${limit}: raise LimitNOFILE= in the unit (or ulimit -n), or lower the setting to ${affordableConnections(limit)}`;
}
