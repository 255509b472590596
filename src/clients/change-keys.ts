// What the commands do to the client keys. Pure but for the new key; reading and writing are edit-keys-file.ts's.
import { generateKey, storedHash } from './client-key.ts';
import type { ClientKeyEntry, KeyLimits } from './keys-file.ts';

/** The keys as they are to be, and what the command has to tell. */
export interface KeysChange<T> {
  readonly entries: readonly ClientKeyEntry[];
  readonly result: T;
}

/** What was asked for cannot be done to these keys. */
export class KeysChangeError extends Error {}

/** A new key under a name that nobody has. */
export function addKey(
  entries: readonly ClientKeyEntry[],
  name: string,
  limits: KeyLimits,
  now: Date,
): KeysChange<string> {
  if (entries.some((entry) => entry.name === name)) {
    throw new KeysChangeError(`there is a key "${name}" already; rotate makes a new one of it`);
  }
  const key = generateKey();
  const entry = { name, hash: storedHash(key), createdAt: now.toISOString(), rotatedAt: null, ...limits };
  return { entries: [...entries, entry], result: key };
}

/** Takes a key away. */
export function revokeKey(entries: readonly ClientKeyEntry[], name: string): KeysChange<ClientKeyEntry> {
  const result = find(entries, name);
  return { entries: entries.filter((entry) => entry !== result), result };
}

/** A new key in the place of an old one, which is invalid from then on; its limits stay. */
export function rotateKey(entries: readonly ClientKeyEntry[], name: string, now: Date): KeysChange<string> {
  const old = find(entries, name);
  const key = generateKey();
  const rotated = { ...old, hash: storedHash(key), rotatedAt: now.toISOString() };
  return { entries: entries.map((entry) => (entry === old ? rotated : entry)), result: key };
}

function find(entries: readonly ClientKeyEntry[], name: string): ClientKeyEntry {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => entry.name).join(', ');
  throw new KeysChangeError(`there is no key "${name}"; there are: ${names === '' ? 'none' : names}`);
}
