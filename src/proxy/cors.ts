// CORS (WHATWG Fetch, section 3.2): which web pages may read our answers in a browser. Preflights are answered here
// and never forwarded; answers carry our headers in place of the upstream's own, which do not know our address.
import type { IncomingMessage } from 'node:http';
import { ANY_ORIGIN } from '../config/origin-list.ts';

/** A browser asks as often as this at most; none heeds more than two hours. */
const MAX_AGE_SECONDS = '7200';
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** Names of headers, RFC 9110 section 5.6.2. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*$/;

/** Whom the answers of one worker may be read by. */
export class Cors {
  readonly #origins: ReadonlySet<string>;
  readonly #isForAll: boolean;

  /** @param origins as browsers spell them, or the word for all; empty switches CORS off */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#isForAll = this.#origins.has(ANY_ORIGIN);
  }

  /** Flat list of headers that every answer to a request carries; null when CORS is off. */
  headersFor({ headers: { origin } }: IncomingMessage): readonly string[] | null {
    if (this.#origins.size === 0) return null;
    const vary = this.#isForAll ? [] : ['Vary', 'Origin'];
    if (origin === undefined || !this.allows(origin)) return vary;
    const allowed = this.#isForAll ? ANY_ORIGIN : origin;
    // The word is for all headers: cookies, the one case in which it is not, never come in this way.
    return [...vary, 'Access-Control-Allow-Origin', allowed, 'Access-Control-Expose-Headers', '*'];
  }

  /** Whether a request is a preflight that is ours to answer. */
  isPreflight({ method, headers }: IncomingMessage): boolean {
    return (
      this.#origins.size > 0 &&
      method === 'OPTIONS' &&
      headers.origin !== undefined &&
      headers['access-control-request-method'] !== undefined
    );
  }

  /** Whether pages of an origin are welcome; all are as long as CORS is off, since browsers then keep them out. */
  allows(origin: string): boolean {
    return this.#isForAll || this.#origins.size === 0 || this.#origins.has(origin);
  }
}

/** What the answer to a preflight of a welcome origin carries beyond what all answers do. */
export function preflightHeaders({ headers }: IncomingMessage): readonly string[] {
  const asked = headers['access-control-request-headers'];
  // By name, since the wildcard of this header leaves Authorization out.
  const allowed =
    asked !== undefined && HEADER_NAMES.test(asked) ? ['Access-Control-Allow-Headers', asked] : [];
  return [
    'Access-Control-Allow-Methods',
    METHODS,
    ...allowed,
    'Access-Control-Max-Age',
    MAX_AGE_SECONDS,
    'Vary',
    'Access-Control-Request-Headers',
  ];
}

/** Whether a header of the upstream's answer is of its own CORS, which ours replaces. */
export function isCorsHeader(name: string): boolean {
  return /^access-control-/i.test(name);
}
