// Walks over the members of one JSON object in a byte text without parsing it: values are skipped, not built.
// What a member means is the caller's. Cutting members out is rewrite/cut-json.ts's.
import { textBetween } from './short-texts.ts';

/** Called with a member's name and the place of its value; returns whether to walk on. */
export type MemberVisitor = (name: string, valueAt: number) => boolean;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Most strings in JSON are short: up to this a loop is cheaper than a call of indexOf. */
const SHORT_STRING = 24;
/** Names that are longer are nobody's we look for; they are visited as an empty name. */
const LONGEST_NAME_BYTES = 512;

/**
 * Visits the members of the object that stands at a place, in order; names come without their escapes.
 * @returns the place after what was walked, or -1 when there is no object or its structure is broken
 */
export function walkMembers(text: Buffer, from: number, visit: MemberVisitor): number {
  let at = skipSpace(text, from);
  if (text[at] !== OPEN_BRACE) return -1;
  at = skipSpace(text, at + 1);
  if (text[at] === CLOSE_BRACE) return at + 1;
  for (;;) {
    const nameEnd = skipString(text, at);
    if (nameEnd < 0) return -1;
    const name = nameEnd - at > LONGEST_NAME_BYTES ? '' : unquoted(text, at, nameEnd);
    at = skipSpace(text, nameEnd);
    if (name === undefined || text[at] !== COLON) return -1;
    at = skipSpace(text, at + 1);
    if (!visit(name, at)) return at;
    at = skipValue(text, at);
    if (at < 0) return -1;
    if (text[at] === CLOSE_BRACE) return at + 1;
    if (text[at] !== COMMA) return -1;
    at = skipSpace(text, at + 1);
  }
}

/**
 * The string that stands at a place.
 * @returns undefined when no string stands there, it is broken, or longer than `longest` characters
 */
export function stringAt(text: Buffer, at: number, longest: number): string | undefined {
  const end = skipString(text, at);
  // A character takes at most six bytes ("\u0041").
  if (end < 0 || end - at > longest * 6 + 2) return undefined;
  const value = unquoted(text, at, end);
  return value === undefined || value.length > longest ? undefined : value;
}

/** The place of the first byte from `at` on that is no white space. */
export function skipSpace(text: Buffer, at: number): number {
  let next = at;
  for (let byte = text[next]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; ) {
    next += 1;
    byte = text[next];
  }
  return next;
}

/** The place of what follows a value, which should be a comma or bracket; -1 when the value has no end. */
function skipValue(text: Buffer, from: number): number {
  const first = text[from];
  let end: number;
  if (first === QUOTE) end = skipString(text, from);
  else if (first === OPEN_BRACE || first === OPEN_BRACKET) end = skipContainer(text, from);
  else end = skipScalar(text, from);
  return end < 0 ? -1 : skipSpace(text, end);
}

/** By depth alone: which bracket closes which is the upstream's to check. */
function skipContainer(text: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const byte = text[at];
    if (byte === QUOTE) {
      at = skipString(text, at);
      if (at < 0) return -1;
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

/** Numbers, true, false and null are made of letters, digits and signs. */
function skipScalar(text: Buffer, from: number): number {
  let at = from;
  for (let byte = text[at]; byte !== undefined && isOfScalar(byte); ) {
    at += 1;
    byte = text[at];
  }
  return at === from ? -1 : at;
}

function isOfScalar(byte: number): boolean {
  return byte > 0x20 && byte !== QUOTE && byte !== COMMA && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET;
}

/** The place after the string that begins at `from`; -1 when none does, or it has no end. */
function skipString(text: Buffer, from: number): number {
  if (text[from] !== QUOTE) return -1;
  let at = from + 1;
  for (const near = at + SHORT_STRING; at < near; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  // `at` may stand right after an escaped character; none of what is before it counts any more.
  const floor = at;
  do {
    at = text.indexOf(QUOTE, at) + 1;
    if (at === 0) return -1;
  } while (isEscaped(text, at - 1, floor));
  return at;
}

function isEscaped(text: Buffer, quote: number, floor: number): boolean {
  let at = quote - 1;
  while (at >= floor && text[at] === BACKSLASH) at -= 1;
  return (quote - 1 - at) % 2 === 1;
}

/** The text between two quotes, escapes resolved; undefined when an escape is none. */
function unquoted(text: Buffer, from: number, end: number): string | undefined {
  const raw = textBetween(text, from + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    return undefined;
  }
}
