// Joins the chunks of one source into whole lines, so that lines of several processes never interleave in a file.
import { StringDecoder } from 'node:string_decoder';

/** A source that never ends its line is cut here rather than kept in memory. */
const LONGEST_LINE = 1024 * 1024;

/** Takes chunks, gives whole lines with their newline, several at once when several came. */
export class LineJoiner {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLines: (lines: string) => void;
  #rest = '';

  constructor(onLines: (lines: string) => void) {
    this.#onLines = onLines;
  }

  push(chunk: Buffer): void {
    const text = this.#rest + this.#decoder.write(chunk);
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) this.#onLines(text.slice(0, end));
    this.#rest = text.slice(end);
    if (this.#rest.length > LONGEST_LINE) this.finish();
  }

  /** The source is gone: what it left without a newline is a line too. */
  finish(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#onLines(`${rest}\n`);
  }
}
