// Where one frame ends and the next one begins in one direction of a WebSocket (RFC 6455 section 5.2). Reads the heads
// of frames and nothing else.

/** Bit of the second byte. */
const MASKED = 0x80;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;
const CLOSE = 0x8;

export class FrameBoundaries {
  readonly #head: number[] = [];
  #payloadLeft = 0;
  #hasClosed = false;

  /** Takes the next bytes, however they are cut. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, bytes.length - at);
        this.#payloadLeft -= taken;
        at += taken;
      } else {
        this.#head.push(bytes.readUInt8(at));
        at += 1;
        this.#endHead();
      }
    }
  }

  /** Whether a frame of another sender could be put in now. */
  get isBetweenFrames(): boolean {
    return this.#payloadLeft === 0 && this.#head.length === 0;
  }

  /** Whether the sender has sent a Close frame, after which nothing may follow. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  #endHead(): void {
    const [first = 0, second = 0] = this.#head;
    const short = second & ~MASKED;
    const lengthSize = short === LENGTH_IN_8_BYTES ? 8 : short === LENGTH_IN_2_BYTES ? 2 : 0;
    const maskSize = (second & MASKED) === 0 ? 0 : 4;
    if (this.#head.length < 2 + lengthSize + maskSize) return;
    const digits = this.#head.slice(2, 2 + lengthSize);
    this.#payloadLeft = lengthSize === 0 ? short : digits.reduce((length, digit) => length * 256 + digit, 0);
    if ((first & 0x0f) === CLOSE) this.#hasClosed = true;
    this.#head.length = 0;
  }
}
