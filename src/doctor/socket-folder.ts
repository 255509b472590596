// Can the control socket be made where a setting says? Nothing is made to find out.
import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LONGEST_SOCKET_PATH } from '../control/socket-path.ts';

/** What is in the way of a control socket: for ever, or only for now as long as its folder is not made. */
export interface SocketObstacle {
  readonly what: string;
  readonly isFinal: boolean;
}

/** @returns undefined when nothing can be seen that is in the way */
export function findSocketObstacle(path: string): SocketObstacle | undefined {
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    return { what: `${path} is longer than ${LONGEST_SOCKET_PATH} bytes`, isFinal: true };
  }
  const folder = look(() => statSync(dirname(path)));
  if (folder === undefined) return { what: `there is no folder ${dirname(path)}`, isFinal: false };
  if (!folder.isDirectory()) return { what: `${dirname(path)} is no folder`, isFinal: true };
  const there = look(() => lstatSync(path));
  if (there === undefined || there.isSocket()) return undefined;
  return { what: `${path} is there and is no socket`, isFinal: true };
}

function look(stat: () => Stats): Stats | undefined {
  try {
    return stat();
  } catch {
    return undefined;
  }
}
