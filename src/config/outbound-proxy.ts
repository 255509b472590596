// Which outbound proxy the usual variables (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) name for a target.
// Pure: the loader hands in the variables and reports a proxy URL that cannot be used.
import { isIP } from 'node:net';

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A variable that is set: its name as found, and its text. */
export interface FoundVariable {
  readonly variable: string;
  readonly text: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The variable that names the proxy for a target, or null when none applies.
 * As in curl, an https target looks at HTTPS_PROXY only and an http target at HTTP_PROXY only,
 * lower case wins over upper case, and an empty variable counts as unset.
 * @param sources where to look, the most important first
 */
export function findOutboundProxy(target: string, sources: readonly Variables[]): FoundVariable | null {
  const url = new URL(target);
  const found = lookUp(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy', sources);
  if (found === null) return null;
  return isExempt(url, lookUp('no_proxy', sources)?.text ?? '') ? null : found;
}

/** Whether a NO_PROXY list exempts a URL: hosts with their subdomains, `host:port`, or `*` for all. */
export function isExempt(url: URL, noProxy: string): boolean {
  const host = bareHost(url.hostname);
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port;
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port));
}

/** A proxy's URL in full, `http://` added where there is no scheme; undefined when unusable. */
export function parseProxyUrl(text: string): string | undefined {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (/\s/.test(full) || !URL.canParse(full)) return undefined;
  const url = new URL(full);
  const isPlain = url.pathname === '/' && url.search === '' && url.hash === '';
  return isPlain && (url.protocol === 'http:' || url.protocol === 'https:') ? url.href : undefined;
}

function lookUp(lowerCaseName: string, sources: readonly Variables[]): FoundVariable | null {
  for (const source of sources) {
    for (const variable of [lowerCaseName, lowerCaseName.toUpperCase()]) {
      const text = source[variable]?.trim() ?? '';
      if (text !== '') return { variable, text };
    }
  }
  return null;
}

function matches(entry: string, host: string, port: string | undefined): boolean {
  const { name, onlyPort } = splitPort(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const wanted = bareHost(name).replace(/^\*?\./, '');
  // An address has no subdomains: 1.2.3.4 is not below 3.4.
  return host === wanted || (isIP(host) === 0 && wanted !== '' && host.endsWith(`.${wanted}`));
}

/** Splits `host:port` and `[v6]:port`; an unbracketed IPv6 address has no port. */
function splitPort(entry: string): { name: string; onlyPort: string | undefined } {
  const [, name, onlyPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
  return { name: name ?? entry, onlyPort };
}

function bareHost(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}
