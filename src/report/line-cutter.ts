// Cuts the bytes of a file, or of a part of it, into lines. A line belongs to the part in which it begins.

/** Longer than any line of ours: what goes on beyond is passed over and counts as broken. */
const LONGEST_LINE = 1024 * 1024;
const NEWLINE = 0x0a;

export interface CutterOptions {
  /** Bytes up to and including the first newline are of a line that began before. */
  readonly beginsInside: boolean;
  /** Lines that begin after so many bytes are of the next part. */
  readonly length: number;
  onLine(text: string): void;
  onEndless(): void;
}

export class LineCutter {
  readonly #options: CutterOptions;
  #rest: Buffer = Buffer.alloc(0);
  /** Where the line at hand begins. */
  #at = 0;
  #isPassingOver: boolean;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.#isPassingOver = options.beginsInside;
  }

  /** Whether nothing of this part is still to come. */
  get isDone(): boolean {
    return this.#at >= this.#options.length;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let begin = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0 && !this.isDone; end = bytes.indexOf(NEWLINE, begin)) {
      if (!this.#isPassingOver) this.#tell(bytes, begin, end);
      this.#isPassingOver = false;
      this.#at += end + 1 - begin;
      begin = end + 1;
    }
    this.#keep(bytes.subarray(begin));
  }

  /** The file ends here: so does its last line. */
  finish(): void {
    if (!this.isDone && !this.#isPassingOver) this.#tell(this.#rest, 0, this.#rest.length);
  }

  #tell(bytes: Buffer, begin: number, end: number): void {
    if (end > begin) this.#options.onLine(bytes.toString('utf8', begin, end));
  }

  #keep(rest: Buffer): void {
    if (this.isDone) return;
    const isEndless = rest.length > LONGEST_LINE;
    if (isEndless && !this.#isPassingOver) this.#options.onEndless();
    this.#isPassingOver ||= isEndless;
    // Of a line that is passed over nothing need be kept.
    if (this.#isPassingOver) this.#at += rest.length;
    this.#rest = this.#isPassingOver ? Buffer.alloc(0) : rest;
  }
}
