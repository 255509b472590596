// Decides by its address whether a client may come in. Addresses are those of the connection itself: a header such
// as X-Forwarded-For says what a client likes to say.
import { BlockList, isIP } from 'node:net';
import {
  EVERYONE,
  mappedAddress,
  PRIVATE,
  PRIVATE_RANGES,
  parseAddressRange,
} from '../config/address-ranges.ts';

/** A list of addresses, as FLOW_PROXY_ALLOWED_CLIENTS has it. */
export class AllowedClients {
  readonly #isEveryone: boolean;
  readonly #listed = new BlockList();
  /** Clients come again and again: the answer for each is looked up once. */
  readonly #known = new Map<string, boolean>();

  /** @param list addresses, ranges, `private` or `*`; what is none of these allows nobody */
  constructor(list: readonly string[]) {
    this.#isEveryone = list.includes(EVERYONE);
    for (const text of list.flatMap((word) => (word === PRIVATE ? PRIVATE_RANGES : [word]))) {
      const range = parseAddressRange(text);
      if (range !== undefined) this.#listed.addSubnet(range.address, range.prefix, range.family);
    }
  }

  /** @param address of the other end of a socket; undefined when it has left already */
  allows(address: string | undefined): boolean {
    if (this.#isEveryone) return true;
    if (address === undefined) return false;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const isAllowed = this.#isListed(address.replace(/%.*$/, ''));
    if (this.#known.size >= ADDRESSES_REMEMBERED) this.#known.clear();
    this.#known.set(address, isAllowed);
    return isAllowed;
  }

  #isListed(address: string): boolean {
    if (isIP(address) === 4) return this.#listed.check(address, 'ipv4');
    if (isIP(address) === 0) return false;
    const mapped = mappedAddress(address);
    return mapped === undefined ? this.#listed.check(address, 'ipv6') : this.#listed.check(mapped, 'ipv4');
  }
}

const ADDRESSES_REMEMBERED = 10_000;
