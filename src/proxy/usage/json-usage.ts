// Finds the `usage` object of one JSON text while its bytes go by: at its top, or in its top-level `message` (Anthropic's
// message_start) or `response` (OpenAI's response.completed). Nothing is kept but that object's own text, bounded; a
// "usage" deeper down, in the arguments of a tool for instance, is no usage.

/** A usage object is a few hundred bytes; one that is longer is passed over. */
const LONGEST_USAGE = 4_096;
/** Long enough for every key that matters; a longer one is another. */
const KEY_BYTES = 8;
/** How far a text is searched for its end byte by byte before the search is left to native code. */
const NEAR = 48;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

/** 1 for the bytes outside of texts that mean something here; numbers and spaces are most of the rest. */
const IS_STRUCTURE = new Uint8Array(256);
for (const byte of [QUOTE, OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY, COMMA]) IS_STRUCTURE[byte] = 1;

type Key = 'usage' | 'envelope' | 'other';

/** Reads one text after the other; `reset` stands between two. */
export class JsonUsage {
  readonly #onUsage: (text: string) => void;
  readonly #key: Uint8Array = new Uint8Array(KEY_BYTES);
  #keyLength = 0;
  /** Objects and lists around the present byte. */
  #depth = 0;
  /** Depth of the object whose keys are looked at: 1, or 2 inside an envelope. */
  #level = 1;
  #isText = false;
  /** Within a text: the byte before was a backslash that escapes the next. */
  #isEscaped = false;
  /** The next text at this level is a key. */
  #expectsKey = false;
  #isKey = false;
  /** The latest key at this level, until its value begins. */
  #latest: Key = 'other';
  /** What there is of the usage object; null outside of it. */
  #captured: string | null = null;
  /** No JSON object: nothing is looked at until `reset`. */
  #isOver = false;

  /** @param onUsage gets the text of each usage object */
  constructor(onUsage: (text: string) => void) {
    this.#onUsage = onUsage;
  }

  /** Whether the text has come to its end, or is no JSON object. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A new text begins. */
  reset(): void {
    this.#depth = 0;
    this.#level = 1;
    this.#isText = false;
    this.#isEscaped = false;
    this.#expectsKey = false;
    this.#isKey = false;
    this.#latest = 'other';
    this.#captured = null;
    this.#isOver = false;
  }

  /** The next bytes of the text: those of `chunk` from `from` up to `to`. */
  push(chunk: Buffer, from: number, to: number): void {
    let start = this.#captured === null ? -1 : from;
    let at = from;
    while (at < to && !this.#isOver) {
      if (this.#isText) {
        at = this.#passText(chunk, at, to);
        continue;
      }
      while (at < to && IS_STRUCTURE[chunk[at] ?? 0] === 0) at += 1;
      if (at === to) break;
      const byte = chunk[at] ?? 0;
      const wasCapturing = this.#captured !== null;
      this.#take(byte);
      at += 1;
      if (!wasCapturing && this.#captured !== null) start = at - 1;
      else if (
        wasCapturing &&
        this.#captured !== null &&
        byte === CLOSE_OBJECT &&
        this.#depth === this.#level
      ) {
        this.#finish(this.#captured + chunk.toString('latin1', start, at));
        start = -1;
      }
    }
    if (this.#captured !== null && start >= 0) this.#keep(chunk.toString('latin1', start, to));
  }

  /** One byte outside of texts. */
  #take(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#isText = true;
        this.#isKey = this.#expectsKey;
        this.#keyLength = 0;
        this.#expectsKey = false;
        if (this.#depth === 0) this.#isOver = true;
        break;
      case OPEN_OBJECT:
        this.#open();
        break;
      case OPEN_ARRAY:
        this.#depth += 1;
        this.#latest = this.#depth === this.#level + 1 ? 'other' : this.#latest;
        if (this.#depth === 1) this.#isOver = true;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        this.#close();
        break;
      case COMMA:
        if (this.#depth !== this.#level) break;
        this.#expectsKey = true;
        this.#latest = 'other';
        break;
      default:
        break;
    }
  }

  #open(): void {
    this.#depth += 1;
    if (this.#depth === 1) this.#expectsKey = true;
    else if (this.#depth === this.#level + 1 && this.#captured === null) {
      if (this.#latest === 'usage') this.#captured = '';
      else if (this.#latest === 'envelope' && this.#level === 1) {
        this.#level = 2;
        this.#expectsKey = true;
      }
      this.#latest = 'other';
    }
  }

  #close(): void {
    this.#depth -= 1;
    if (this.#depth < this.#level && this.#level > 1) this.#level -= 1;
    this.#expectsKey = false;
    if (this.#depth <= 0) this.#isOver = true;
  }

  /** Goes through a text as far as it is here. @returns where it goes on */
  #passText(chunk: Buffer, from: number, to: number): number {
    let at = from;
    const near = Math.min(to, from + NEAR);
    while (at < near) {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) {
        this.#isEscaped = true;
        this.#isKey = false;
      } else if (byte === QUOTE) {
        this.#endText();
        return at;
      } else if (this.#isKey) this.#noteKey(byte);
    }
    return at === to ? at : this.#passLongText(chunk, at, to);
  }

  /** The same from a place that is far from the beginning of the text: native code looks for the quote. */
  #passLongText(chunk: Buffer, from: number, to: number): number {
    this.#isKey = false;
    const start = this.#isEscaped ? from + 1 : from;
    let at = start;
    for (;;) {
      const quote = at >= to ? -1 : chunk.indexOf(QUOTE, at);
      const end = quote < 0 || quote >= to ? to : quote;
      const isEscaped = countBackslashes(chunk, start, end) % 2 === 1;
      if (end === to) {
        // The byte that the last backslash escapes is the one after the end.
        this.#isEscaped = isEscaped;
        return to;
      }
      at = end + 1;
      if (isEscaped) continue;
      this.#isEscaped = false;
      this.#endText();
      return at;
    }
  }

  #noteKey(byte: number): void {
    if (this.#keyLength < KEY_BYTES) this.#key[this.#keyLength] = byte;
    this.#keyLength += 1;
  }

  #endText(): void {
    this.#isText = false;
    if (this.#isKey && this.#captured === null) this.#latest = keyOf(this.#key, this.#keyLength);
    this.#isKey = false;
  }

  #finish(text: string): void {
    this.#captured = null;
    if (text.length <= LONGEST_USAGE) this.#onUsage(text);
  }

  #keep(text: string): void {
    // Beyond the bound it is still followed to its end, which tells where the next key is.
    this.#captured = `${this.#captured ?? ''}${text}`.slice(0, LONGEST_USAGE + 1);
  }
}

/** How many stand in a row right before `end`. */
function countBackslashes(chunk: Buffer, from: number, end: number): number {
  let count = 0;
  while (end - count > from && chunk[end - count - 1] === BACKSLASH) count += 1;
  return count;
}

const USAGE = Buffer.from('usage');
const MESSAGE = Buffer.from('message');
const RESPONSE = Buffer.from('response');

function keyOf(bytes: Uint8Array, length: number): Key {
  if (isSame(bytes, length, USAGE)) return 'usage';
  return isSame(bytes, length, MESSAGE) || isSame(bytes, length, RESPONSE) ? 'envelope' : 'other';
}

function isSame(bytes: Uint8Array, length: number, word: Buffer): boolean {
  if (length !== word.length) return false;
  for (let at = 0; at < length; at += 1) if (bytes[at] !== word[at]) return false;
  return true;
}
