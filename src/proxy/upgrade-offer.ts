// An upgrade that we do not do (h2c, which Java's HTTP client always offers) is to be ignored (RFC 9110 section 7.8).
// Node before 24.9 has let go of such a connection by then; it is given the request once more, without the offer.
import type { IncomingMessage } from 'node:http';
import { isLocalTarget } from './local-routes.ts';

/** Whether it is one that is ours to do; what we answer by ourselves is no WebSocket. */
export function isWebSocketOffer({ headers, url = '' }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket' && !isLocalTarget(url);
}

/** The bytes of a request's head as they were, but for the offer. */
export function headWithoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    if (/^connection$/i.test(name)) lines.push(`${name}: ${withoutOptions(value)}`);
    else if (!/^(?:upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutOptions(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(?:upgrade|http2-settings)$/i.test(option)).join(', ');
}
