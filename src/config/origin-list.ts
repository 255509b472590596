// The text of a list of web origins: whose pages a browser lets talk to us. What is done with them is
// src/proxy/cors.ts's.
import type { Format } from './formats.ts';

/** Pages of any origin. */
export const ANY_ORIGIN = '*';

/** Origins as browsers send them (RFC 6454 section 6.2): scheme, host and port, or the one word `*`. */
export function originList(): Format<readonly string[]> {
  return {
    accepts: 'a comma-separated list of origins such as https://app.example.com:8443, or *',
    placeholder: 'list|*',
    parse(text) {
      if (text === '' || text === ANY_ORIGIN) return text === '' ? [] : [text];
      const origins = text.split(',').map((part) => parseOrigin(part.trim()));
      const known = origins.filter((origin) => origin !== undefined);
      return known.length === origins.length ? [...new Set(known)] : undefined;
    },
  };
}

/** In a browser's own spelling: lower case, without a port that is the scheme's own. */
function parseOrigin(text: string): string | undefined {
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s\\]+)\/?$/i.exec(text) ?? [];
  if (authority === '' || !URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  // Only of schemes it knows does URL say the origin; apps and extensions of browsers have schemes of their own.
  return origin === 'null' ? `${scheme}://${authority}`.toLowerCase() : origin;
}
