// What the upstream, or a proxy in front of it, might take a path for. A credential is never spent outside its base, so
// the most generous reading counts: encoded dots and slashes, backslashes, parameters, encoded twice, overlong UTF-8, and
// the letters that Unicode's compatibility forms (NFKC) turn into a dot or a slash.

/** More than this many encodings on top of one another nobody writes. */
const MOST_READINGS = 4;
/** Spellings of a dot, a slash or a backslash that UTF-8 forbids (RFC 3629 section 10), and of a lead byte of one. */
const OVERLONG = /%(?:c[01]|e0%[89]|f0%8)/i;
/** U+2024 to U+2026, U+FF0E, U+FF0F, U+FF3C, U+2044 and U+2215: dots and slashes to whoever normalises or approximates. */
const LOOKALIKE = /%e2%80%a[456]|%ef%bc%8[ef]|%ef%bc%bc|%e2%81%84|%e2%88%95/i;
/** Of ASCII: digits and letters, too, may be part of another encoding. */
const ENCODED = /%([0-7][\da-f])/gi;

/** Paths that are asked for again and again, and are fine. */
const known = new Set<string>();
const MOST_KNOWN = 1_000;
const LONGEST_KNOWN = 100;

/** Why a path must not be forwarded, as a sentence; null when it may. */
export function pathFault(path: string): string | null {
  if (known.has(path)) return null;
  const fault = faultIn(path);
  if (fault === null && known.size < MOST_KNOWN && path.length <= LONGEST_KNOWN) known.add(path);
  return fault;
}

function faultIn(path: string): string | null {
  if (/[^!-~]|\\/.test(path)) return 'The path has characters that must be percent-encoded.';
  if (/%(?![\da-f]{2})/i.test(path)) return 'The path has a "%" that encodes nothing.';
  let reading = path;
  for (let depth = 0; depth <= MOST_READINGS; depth += 1) {
    const fault = faultOf(reading);
    if (fault !== null) return fault;
    const next = reading.replace(ENCODED, (_match, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    if (next === reading) return null;
    reading = next;
  }
  return 'The path is encoded too many times.';
}

function faultOf(reading: string): string | null {
  if (/\p{Cc}/u.test(reading)) return 'The path has control characters.';
  if (OVERLONG.test(reading)) return 'The path is not valid UTF-8.';
  if (LOOKALIKE.test(reading)) return 'The path has letters that look like dots or slashes.';
  return /(?:^|[/\\]) *\. *\. *(?:[/\\;?#]|$)/.test(reading) ? 'The path has ".." segments.' : null;
}
