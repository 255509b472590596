// What the text of a setting may look like, and the typed value it becomes.
// Which setting has which format is schema.ts's; nothing here knows a setting's name.
import { isIP } from 'node:net';
import { parseProxyUrl } from './outbound-proxy.ts';

/** One kind of value: what is accepted, and how its text is read. */
export interface Format<T> {
  /** What an operator may write, as the end of the sentence "expected …". */
  readonly accepts: string;
  /** What stands for the value in `--flag <placeholder>`. */
  readonly placeholder: string;
  /** The value, or undefined when the text is refused. */
  parse(text: string): T | undefined;
}

/** A status of the upstream, silence after the request was sent, or a connection that broke then. */
export type RetryCause = number | 'timeout' | 'reset';

const NUMBER = /^\d+(\.\d+)?$/;
const CONTROL_CHARACTER = /\p{Cc}/u;
const BYTES_PER_MB = 1024 * 1024;

function numberWithin(text: string, min: number, max: number): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : Math.round(value * factor);
}

/** A whole number within bounds. */
export function wholeNumber(min: number, max: number): Format<number> {
  return {
    accepts: `a whole number from ${min} to ${max}`,
    placeholder: 'number',
    parse: (text) => (text.includes('.') ? undefined : numberWithin(text, min, max)),
  };
}

/** A duration written in seconds, read as milliseconds. */
export function seconds(min: number, max: number): Format<number> {
  return {
    accepts: `a number of seconds from ${min} to ${max}`,
    placeholder: 'seconds',
    parse: (text) => scaled(numberWithin(text, min, max), 1000),
  };
}

/** A size written in MB (1,048,576 bytes), read as bytes. */
export function megabytes(min: number, max: number): Format<number> {
  return {
    accepts: `a number of MB from ${min} to ${max}`,
    placeholder: 'MB',
    parse: (text) => scaled(numberWithin(text, min, max), BYTES_PER_MB),
  };
}

/** One of a few words, in any case; the value is the word as listed. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Format<Word> {
  return {
    accepts: `one of ${words.join(', ')} (any case)`,
    placeholder: words.join('|'),
    parse: (text) => words.find((word) => word.toLowerCase() === text.toLowerCase()),
  };
}

/** Another format, or a word that stands for a choice made later. */
export function orWord<T, const Word extends string>(format: Format<T>, word: Word): Format<T | Word> {
  return {
    accepts: `${format.accepts}, or ${word}`,
    placeholder: `${format.placeholder}|${word}`,
    parse: (text) => (text.toLowerCase() === word ? word : format.parse(text)),
  };
}

/** What else than 401, 403 and 429 is tried again: statuses, and words for attempts without an answer. */
export function retryCauses(): Format<readonly RetryCause[]> {
  const read = (part: string): RetryCause | undefined => {
    if (part === 'timeout' || part === 'reset') return part;
    return /^5\d\d$/.test(part) ? Number(part) : undefined;
  };
  return {
    accepts: 'a comma-separated list of statuses from 500 to 599 and the words timeout and reset, or none',
    placeholder: 'list|none',
    parse(text) {
      if (text.toLowerCase() === 'none') return [];
      const causes = text.split(',').map((part) => read(part.trim().toLowerCase()));
      const known = causes.filter((cause) => cause !== undefined);
      return known.length === causes.length ? known : undefined;
    },
  };
}

/** An address to listen on: an IP address, bracketed or not, or a host name. */
export function listenAddress(): Format<string> {
  return {
    accepts: 'an IP address or a host name, without scheme or port',
    placeholder: 'address',
    parse(text) {
      const bare = /^\[(.+)\]$/.exec(text)?.[1];
      if (bare !== undefined) return isIP(bare) === 6 ? bare : undefined;
      const isHostName = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(text) && !/^[\d.]+$/.test(text);
      return isHostName || isIP(text) !== 0 ? text : undefined;
    },
  };
}

/** Where to listen, host and port as one; the host is without brackets. */
export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

/** An address with its port, such as 127.0.0.1:8898 or [::1]:8898. */
export function listenPlace(): Format<ListenPlace> {
  const address = listenAddress();
  const number = wholeNumber(0, 65_535);
  return {
    accepts: 'an IP address or a host name with a port, such as 127.0.0.1:8898 or [::1]:8898',
    placeholder: 'address:port',
    parse(text) {
      const [, before = '', after = ''] = /^(\[.+\]|[^:]+):(\d+)$/.exec(text) ?? [];
      const host = address.parse(before);
      const port = number.parse(after);
      return host === undefined || port === undefined ? undefined : { host, port };
    },
  };
}

/** The base of an upstream: http or https and nothing but host, port and path; no slash at the end. */
export function baseUrl(): Format<string> {
  return {
    accepts: 'an http:// or https:// URL without query, fragment, user or password',
    placeholder: 'url',
    parse(text) {
      if (!/^https?:\/\//i.test(text) || /[?#\s]/.test(text) || !URL.canParse(text)) return undefined;
      const url = new URL(text);
      if (url.username !== '' || url.password !== '' || /^[^/]*\/\/[^/]*@/.test(text)) return undefined;
      return url.origin + url.pathname.replace(/\/+$/, '');
    },
  };
}

/** An outbound proxy: its URL, `none`, or the empty string when the environment decides. */
export function proxyUrl(): Format<string> {
  return {
    accepts: 'an http:// or https:// proxy URL, or none',
    placeholder: 'url|none',
    parse(text) {
      if (text === '') return text;
      return text.toLowerCase() === 'none' ? 'none' : parseProxyUrl(text);
    },
  };
}

/** A path as written; whoever resolves the settings makes it absolute. */
export function path(): Format<string> {
  return {
    accepts: 'a path',
    placeholder: 'path',
    parse: (text) => (CONTROL_CHARACTER.test(text) ? undefined : text),
  };
}
