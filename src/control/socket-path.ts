// Where the control socket of a service is: a rule that the service and the command line both follow. Pure.
import { join, resolve } from 'node:path';

/** What the rule depends on. */
export interface SocketPlace {
  /** FLOW_PROXY_CONTROL_SOCKET: a path, or `auto`. */
  readonly asked: string;
  readonly cwd: string;
  /** FLOW_PROXY_PORT. */
  readonly port: number;
  /** RUNTIME_DIRECTORY (systemd's, perhaps several) and XDG_RUNTIME_DIR are looked at. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly temporaryFolder: string;
  readonly uid: number;
}

/** Where the shipped unit's RuntimeDirectory is. */
const SYSTEM_FOLDER = '/run/flow-proxy';
const NAME = 'control.sock';
/** In bytes; longer ones do not fit into the kernel's structure. */
export const LONGEST_SOCKET_PATH = 107;

/** Where a service may make its socket. */
export interface ServePath {
  readonly path: string;
  /** The folder is ours: to be made, and closed to others. */
  readonly hasOwnFolder: boolean;
}

/** The paths at which a service tries to make its socket, best first. */
export function pathsToServe(place: SocketPlace, pid: number): ServePath[] {
  if (place.asked !== 'auto') return [{ path: resolve(place.cwd, place.asked), hasOwnFolder: false }];
  const name = place.port === 0 ? `control-${pid}.sock` : `control-${place.port}.sock`;
  return [
    ...runtimeFolder(place).map((folder) => ({ path: join(folder, NAME), hasOwnFolder: false })),
    ...ownPaths(place, name).map((path) => ({ path, hasOwnFolder: true })),
  ];
}

/** The paths at which the command line looks for a running service, in this order. */
export function pathsToAsk(place: SocketPlace): string[] {
  if (place.asked !== 'auto') return [resolve(place.cwd, place.asked)];
  const folders = [...runtimeFolder(place), SYSTEM_FOLDER].map((folder) => join(folder, NAME));
  return [...folders, ...ownPaths(place, `control-${place.port}.sock`)];
}

function runtimeFolder({ environment }: SocketPlace): string[] {
  const first = environment['RUNTIME_DIRECTORY']?.split(':')[0] ?? '';
  return first === '' ? [] : [first];
}

function ownPaths({ environment, temporaryFolder, uid }: SocketPlace, name: string): string[] {
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  const inRuntime = runtime === '' ? [] : [join(runtime, 'flow-proxy', name)];
  return [...inRuntime, join(temporaryFolder, `flow-proxy-${uid}`, name)];
}
