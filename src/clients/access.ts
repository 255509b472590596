// Who may come in, as the settings say it: whether a key is wanted, from which addresses, and how that is told.
import { EVERYONE, PRIVATE } from '../config/address-ranges.ts';
import type { ClientSettings } from '../config/settings.ts';

/** The rule for clients of one generation. */
export interface ClientAccess {
  readonly needsKey: boolean;
  /** For AllowedClients; `*` is everyone. */
  readonly allowed: readonly string[];
}

/** In the words of /health. */
export type AccessName =
  | 'everyone'
  | 'private networks'
  | 'listed addresses'
  | 'keys'
  | 'keys and listed addresses';

/** Without keys private networks may come in, unless a list says otherwise; with keys a list counts only when given. */
export function clientAccess({ keysFile, allowed }: ClientSettings): ClientAccess {
  const needsKey = keysFile !== null;
  if (allowed.length > 0) return { needsKey, allowed };
  return { needsKey, allowed: [needsKey ? EVERYONE : PRIVATE] };
}

export function accessName({ needsKey, allowed }: ClientAccess): AccessName {
  const isOpen = allowed.includes(EVERYONE);
  if (needsKey) return isOpen ? 'keys' : 'keys and listed addresses';
  if (isOpen) return 'everyone';
  return allowed.every((word) => word === PRIVATE) ? 'private networks' : 'listed addresses';
}

/** For an operator: who, in one clause. */
export function describeAccess(access: ClientAccess, keys: number): string {
  const { needsKey, allowed } = access;
  const from = allowed.map((word) => (word === PRIVATE ? 'loopback and private networks' : word)).join(', ');
  const where = allowed.includes(EVERYONE) ? 'from anywhere' : `from ${from}`;
  if (!needsKey) return `every client ${where}, without a key`;
  return keys === 0
    ? 'nobody: there are no client keys'
    : `clients with one of ${keys} client keys, ${where}`;
}

/** What to say at the start when others than this machine can connect; undefined when nobody else can. */
export function accessWarning(
  listening: { readonly host: string; readonly isSecure: boolean },
  access: ClientAccess,
  keys: number,
): string | undefined {
  const { host, isSecure } = listening;
  if (isLoopback(host)) return undefined;
  const who = `Listening on ${host}: who may come in is ${describeAccess(access, keys)}`;
  if (access.needsKey)
    return isSecure ? who : `${who}; keys cross the network unencrypted (set FLOW_PROXY_TLS_CERT_FILE)`;
  const change = 'FLOW_PROXY_ALLOWED_CLIENTS and FLOW_PROXY_CLIENT_KEYS_FILE change that';
  return `${who}; whoever comes in uses your credentials; ${change}`;
}

function isLoopback(host: string): boolean {
  return /^(?:127\.[\d.]+|::1|(?:.+\.)?localhost)$/i.test(host);
}
