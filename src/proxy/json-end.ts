// Whether JSON has come to its end, for bodies that nothing but the end of their connection frames. Knows brackets and
// strings, and leaves everything else to whoever parses it.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

export class JsonEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    for (const byte of chunk) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === QUOTE) this.#isInString = !this.#isInString;
      else if (this.#isInString) this.#isEscaped = byte === BACKSLASH;
      else if (OPENING.has(byte)) this.#depth += 1;
      else if (CLOSING.has(byte)) this.#depth -= 1;
    }
  }

  /** Whether nothing is open; so it is before the first byte, too. */
  get isReached(): boolean {
    return this.#depth <= 0 && !this.#isInString;
  }
}
