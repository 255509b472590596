// The text of a list of client addresses: single addresses, CIDR ranges and the words that stand for many.
// Which address a list holds is src/clients/allowed-clients.ts's.
import { isIP } from 'node:net';
import type { Format } from './formats.ts';

/** The whole world. */
export const EVERYONE = '*';
/** Loopback, private, link-local and carrier-grade NAT ranges: what is not reachable from the internet. */
export const PRIVATE = 'private';

/** What `private` stands for. */
export const PRIVATE_RANGES: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** A range of addresses of one family. */
export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Reads an address or a CIDR range; one of IPv4 addresses mapped into IPv6 becomes one of IPv4. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = length === undefined ? longest : Number(length);
  if (prefix > longest) return undefined;
  if (version === 4) return { address, prefix, family: 'ipv4' };
  const mapped = mappedAddress(address);
  if (mapped === undefined || prefix < 96) return { address, prefix, family: 'ipv6' };
  return { address: mapped, prefix: prefix - 96, family: 'ipv4' };
}

/** The IPv4 address within `::ffff:a.b.c.d`, whatever its spelling; undefined for any other IPv6 address. */
export function mappedAddress(address: string): string | undefined {
  // URL writes every IPv6 address in its one canonical form.
  const [, high, low] =
    /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 0xff, second >> 8, second & 0xff].join('.');
}

/** A list of addresses and ranges as they were written; empty when not set. */
export function addressList(): Format<readonly string[]> {
  return {
    accepts:
      'addresses and CIDR ranges (IPv4, IPv6) separated by commas, the word private among them, or * alone',
    placeholder: 'list|*',
    parse(text) {
      if (text === '') return [];
      const parts = text.split(',').map((part) => part.trim());
      if (parts.length === 1 && parts[0] === EVERYONE) return [EVERYONE];
      const words = parts.map((part) => (part.toLowerCase() === PRIVATE ? PRIVATE : part));
      return words.every((word) => word === PRIVATE || parseAddressRange(word) !== undefined)
        ? words
        : undefined;
    },
  };
}
