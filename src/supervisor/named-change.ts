// Says in a few words what is different between two lists of named things. Names only: entries may hold secrets.
import { isDeepStrictEqual } from 'node:util';

/** Such as `added b; changed a; removed c`. */
export function describeChange<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
): string {
  const old = new Map(before.map((entry) => [entry.name, entry]));
  const added = after.filter(({ name }) => !old.has(name));
  const changed = after.filter(
    (entry) => old.has(entry.name) && !isDeepStrictEqual(old.get(entry.name), entry),
  );
  const left = new Set(after.map(({ name }) => name));
  const removed = before.filter(({ name }) => !left.has(name));
  return (
    Object.entries({ added, changed, removed })
      .filter(([, entries]) => entries.length > 0)
      .map(([what, entries]) => `${what} ${entries.map(({ name }) => name).join(', ')}`)
      .join('; ') || 'their order'
  );
}
