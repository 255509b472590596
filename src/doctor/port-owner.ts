// Who listens on a TCP port of this machine, as Linux tells it in /proc. Another user's processes are seen by root only.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface PortOwner {
  readonly pid: number;
  /** Of the program, without its arguments: those may hold anything. */
  readonly name: string;
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** TCP_LISTEN of the kernel. */
const LISTENING = '0A';

/** null when it cannot be found out. */
export function portOwner(port: number): PortOwner | null {
  const inodes = new Set(TABLES.flatMap((table) => listeningInodes(textOf(table), port)));
  if (inodes.size === 0) return null;
  const pid = entriesOf('/proc').find((entry) => /^\d+$/.test(entry) && holdsSocket(entry, inodes));
  return pid === undefined ? null : { pid: Number(pid), name: textOf(`/proc/${pid}/comm`).trim() };
}

/** Inodes of the listening sockets of a port in the text of /proc/net/tcp. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${wanted}`) && state === LISTENING)
    .flatMap(([, , , , , , , , , inode]) => (inode === undefined ? [] : [inode]));
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  const folder = `/proc/${pid}/fd`;
  return entriesOf(folder).some((descriptor) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${descriptor}`))?.[1];
    return inode !== undefined && inodes.has(inode);
  });
}

/** What may not be looked at, or is gone by now, tells nothing. */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
