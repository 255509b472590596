// Services of other users: their control sockets cannot be opened, or seen, but Linux tells who listens where.
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { pathsToAsk, type SocketPlace } from './socket-path.ts';

/** Flag of a socket that listens (__SO_ACCEPTCON), in a table whose columns are proc(5)'s. */
const LISTENS = 0x1_0000;
const COLUMNS = /^\S+: \S+ \S+ ([\dA-Fa-f]+) \S+ \S+ +\d+ (\/.*)$/;
/** As systemd, XDG_RUNTIME_DIR and /tmp have it. */
const FOLDER = /^flow-proxy(?:-\d+)?$/;

/** The kernel's table of unix sockets; empty where there is none. */
export function openUnixSockets(): string {
  try {
    return readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return '';
  }
}

/** Where services listen that this user's commands would reach if they were its own. Pure. */
export function foreignSockets(place: SocketPlace, table: string): string[] {
  if (place.asked !== 'auto') return [];
  const own = pathsToAsk(place);
  const names = new Set(own.map((path) => basename(path)));
  const listening = table.split('\n').flatMap((line) => {
    const [, flags = '', path = ''] = COLUMNS.exec(line) ?? [];
    return (Number.parseInt(flags, 16) & LISTENS) !== 0 ? [path] : [];
  });
  return [...new Set(listening)].filter(
    (path) => !own.includes(path) && names.has(basename(path)) && FOLDER.test(basename(dirname(path))),
  );
}
