// Which headers cross the proxy. Names are classified once and remembered by the spelling they came in.

/** What happens to a header. */
export type HeaderFate = 'pass' | 'drop' | 'connection' | 'requestId';

/** RFC 9110 section 7.6.1, and the ones that proxies in the wild treat so. */
const HOP_BY_HOP = [
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
/** The client's own secrets and what we make anew. Content-Length is written again from the body that is sent. */
const NOT_TO_UPSTREAM = ['authorization', 'x-api-key', 'cookie', 'host', 'expect', 'content-length'];

/** Bounds the memory that odd spellings of header names can take. */
const SPELLINGS_REMEMBERED = 2_000;

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const tokens = new Set<string>();

/** Whether something can be the name of a header. */
export function isFieldName(name: string): boolean {
  if (tokens.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (tokens.size < SPELLINGS_REMEMBERED) tokens.add(name);
  return true;
}

/** Whether a name is another one, whatever its case; first as nearly everybody writes it, which costs least. */
export function isNamed(name: string, usual: string, lowerCase: string): boolean {
  return name === usual || name === lowerCase || name.toLowerCase() === lowerCase;
}

/** Tells the fate of a header by its name, whatever its case. */
export class HeaderRules {
  readonly #fates: ReadonlyMap<string, HeaderFate>;
  readonly #bySpelling = new Map<string, HeaderFate>();

  constructor(dropped: readonly string[]) {
    this.#fates = new Map<string, HeaderFate>([
      ...[...HOP_BY_HOP, ...dropped].map((name): [string, HeaderFate] => [name, 'drop']),
      ['connection', 'connection'],
      ['x-request-id', 'requestId'],
    ]);
  }

  fateOf(name: string): HeaderFate {
    const known = this.#bySpelling.get(name);
    if (known !== undefined) return known;
    const fate = this.#fates.get(name.toLowerCase()) ?? 'pass';
    if (this.#bySpelling.size < SPELLINGS_REMEMBERED) this.#bySpelling.set(name, fate);
    return fate;
  }
}

/** Rules for requests on their way to the upstream. */
export function requestHeaderRules(): HeaderRules {
  return new HeaderRules(NOT_TO_UPSTREAM);
}

/** Rules for answers on their way to the client. */
export function responseHeaderRules(): HeaderRules {
  return new HeaderRules([]);
}

/** Lower-case names that a Connection header makes hop-by-hop for this message, beyond the usual; often none. */
export function namedByConnection(value: string): readonly string[] {
  const plain = value.toLowerCase();
  if (plain === 'keep-alive' || plain === 'close') return [];
  return plain
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'keep-alive' && name !== 'close');
}

/** Removes headers by lower-case name from a flat name-value list. */
export function withoutHeaders(flat: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  // A Connection header may name thousands.
  const removed = new Set(names);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name = '', value = ''] = [flat[i], flat[i + 1]];
    if (!removed.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
