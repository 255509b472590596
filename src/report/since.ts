// What `--since` accepts: a while ago, or a moment.

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export const SINCE_ACCEPTS: string =
  'a while such as 90s, 30m, 1h, 7d or 2w, or a moment such as 2026-11-24 or 2026-11-24T10:00:00Z';

/** The moment as log lines have it, ISO-8601 in UTC; undefined when the text says none. */
export function parseSince(text: string, now: number): string | undefined {
  const [, amount, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const at = amount === undefined ? momentOf(text) : now - Number(amount) * (UNITS_MS[unit ?? ''] ?? 0);
  // Beyond what a date can be: 2w is meant, not 99999999999w.
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : undefined;
}

/** Only what begins like a date: Date.parse takes much else. */
function momentOf(text: string): number {
  return /^\d{4}-\d\d-\d\d(?:[T ]|$)/.test(text) ? Date.parse(text) : Number.NaN;
}
