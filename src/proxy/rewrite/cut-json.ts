// Cuts members out of a JSON text by their paths and leaves every other byte as it is: numbers, spacing, order and
// escapes reach the upstream as the client wrote them. A text whose structure is broken is returned untouched.

/** A path into JSON: member names, `*` for any member or element. */
export type JsonPath = readonly string[];

/** A half-open range of bytes to leave out. */
interface Cut {
  readonly from: number;
  readonly to: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** The text without the members that any of the paths names; the same buffer when there is none. */
export function cutJson(text: Buffer, paths: readonly JsonPath[]): Buffer {
  if (!mayHold(text, paths)) return text;
  const cuts = new Reader(text).cutsFor(paths);
  if (cuts.length === 0) return text;
  const kept: Buffer[] = [];
  let from = 0;
  for (const cut of cuts) {
    kept.push(text.subarray(from, cut.from));
    from = cut.to;
  }
  kept.push(text.subarray(from));
  return Buffer.concat(kept);
}

/** A text that spells no path's last name, plainly, by escapes or as an element's place, needs no reading. */
function mayHold(text: Buffer, paths: readonly JsonPath[]): boolean {
  return paths.some((path) => {
    const last = path[path.length - 1] ?? '';
    const isSpeltOtherwise = last === '*' || /^\d+$|["\\/\p{Cc}]/u.test(last);
    return isSpeltOtherwise || text.includes(`"${last}"`) || text.includes('\\u');
  });
}

class MalformedJson extends Error {}

/** Reads a text once from left to right, entering only the values that a path leads into. */
class Reader {
  readonly #text: Buffer;
  #cuts: Cut[] = [];
  #at = 0;

  constructor(text: Buffer) {
    this.#text = text;
  }

  /** What to leave out, in order; nothing when the text is malformed. */
  cutsFor(paths: readonly JsonPath[]): readonly Cut[] {
    try {
      this.#enter(paths);
      this.#skipSpace();
      return this.#at === this.#text.length ? this.#cuts : [];
    } catch (cause) {
      if (cause instanceof MalformedJson) return [];
      throw cause;
    }
  }

  /** Depth of recursion is that of the paths, never that of the text. */
  #enter(paths: readonly JsonPath[]): void {
    this.#skipSpace();
    const open = this.#text[this.#at];
    const isContainer = open === OPEN_BRACE || open === OPEN_BRACKET;
    if (paths.length === 0 || !isContainer) this.#skipValue();
    else this.#members(paths, open === OPEN_BRACE);
  }

  #members(paths: readonly JsonPath[], isObject: boolean): void {
    const close = isObject ? CLOSE_BRACE : CLOSE_BRACKET;
    let separator = this.#at;
    let hasKept = false;
    this.#at += 1;
    this.#skipSpace();
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (let index = 0; ; index += 1) {
      const matched = matching(paths, isObject ? this.#name() : String(index));
      if (matched.isWhole) this.#skipValue();
      else this.#enter(matched.rest);
      const next = this.#separator(close);
      const isLast = this.#text[next] === close;
      if (!matched.isWhole) hasKept = true;
      else this.#cut(separator, next, hasKept, isLast);
      separator = next;
      if (isLast) return;
    }
  }

  /** A cut member takes the comma before it along, or the one after it while no kept member stands before it. */
  #cut(before: number, after: number, hasKept: boolean, isLast: boolean): void {
    if (hasKept) this.#cuts.push({ from: before, to: after });
    else this.#cuts.push({ from: before + 1, to: isLast ? after : after + 1 });
  }

  /** Place of the comma or bracket that ends a member. */
  #separator(close: number): number {
    this.#skipSpace();
    const at = this.#at;
    const byte = this.#text[at];
    if (byte !== COMMA && byte !== close) throw new MalformedJson();
    this.#at += 1;
    return at;
  }

  #name(): string {
    this.#skipSpace();
    const from = this.#at;
    this.#skipString();
    const raw = this.#text.toString('utf8', from, this.#at);
    this.#skipSpace();
    if (this.#text[this.#at] !== COLON) throw new MalformedJson();
    this.#at += 1;
    return raw.includes('\\') ? unescaped(raw) : raw.slice(1, -1);
  }

  #skipValue(): void {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === QUOTE) this.#skipString();
    else if (first === OPEN_BRACE || first === OPEN_BRACKET) this.#skipContainer();
    else this.#skipScalar();
  }

  /** Brackets are counted; whether each is closed by its own kind is for the upstream to judge. */
  #skipContainer(): void {
    let depth = 0;
    do {
      const byte = this.#text[this.#at];
      if (byte === undefined) throw new MalformedJson();
      if (byte === QUOTE) {
        this.#skipString();
        continue;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
      this.#at += 1;
    } while (depth > 0);
  }

  #skipScalar(): void {
    const from = this.#at;
    while (isScalarByte(this.#text[this.#at])) this.#at += 1;
    if (this.#at === from) throw new MalformedJson();
  }

  #skipString(): void {
    if (this.#text[this.#at] !== QUOTE) throw new MalformedJson();
    let end = this.#at;
    do {
      end = this.#text.indexOf(QUOTE, end + 1);
      if (end < 0) throw new MalformedJson();
    } while (isEscaped(this.#text, end));
    this.#at = end + 1;
  }

  #skipSpace(): void {
    let byte = this.#text[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      byte = this.#text[this.#at];
    }
  }
}

/** Of a number or one of the words true, false and null. */
function isScalarByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  if (byte >= 0x30 && byte <= 0x39) return true;
  const lower = byte | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}

const UNMATCHED = { isWhole: false, rest: [] } as const;

/** Whether a path names this member itself, and what is left of the paths that lead into it. */
function matching(
  paths: readonly JsonPath[],
  name: string,
): { readonly isWhole: boolean; readonly rest: readonly JsonPath[] } {
  const through = paths.filter(([first]) => first === name || first === '*');
  if (through.length === 0) return UNMATCHED;
  const rest = through.map((path) => path.slice(1));
  return { isWhole: rest.some((path) => path.length === 0), rest };
}

function isEscaped(text: Buffer, quote: number): boolean {
  let at = quote - 1;
  while (text[at] === BACKSLASH) at -= 1;
  return (quote - 1 - at) % 2 === 1;
}

function unescaped(raw: string): string {
  try {
    return String(JSON.parse(raw));
  } catch {
    throw new MalformedJson();
  }
}
