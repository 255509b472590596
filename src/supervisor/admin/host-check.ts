// Whether a request to the admin listener names it by an address of this machine. A web page can make a browser ask
// our loopback port under the page's own host name (DNS rebinding) and read the answer; the Host header tells. Pure.
import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * @param host that we listen on; on another than loopback every name is fine, since a page could connect by address
 * @param header Host of the request
 */
export function isNamedByUs(host: string, header: string | undefined): boolean {
  if (!isLoopback(host)) return true;
  const name = /^(\[[^\]]+\]|[^:]+)(?::\d+)?$/.exec(header ?? '')?.[1] ?? '';
  return isLoopback(name.replace(/^\[|\]$/g, ''));
}
