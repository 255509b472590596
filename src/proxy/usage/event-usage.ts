// Finds the JSON texts in the bytes of an event stream as they go by (WHATWG HTML, section 9.2): what stands behind
// `data:`, over all data lines of an event, whichever of the three line ends is used and wherever chunks are cut.
import type { JsonUsage } from './json-usage.ts';

const LF = 0x0a;
const CR = 0x0d;
const FIELD = Buffer.from('data:');
const USAGE = Buffer.from('usage"');

/** What the present line is: `field` while its name is still read. */
type Line = 'field' | 'data' | 'skipped';

export class EventUsage {
  readonly #json: JsonUsage;
  #line: Line = 'field';
  /** How much of the field's name has been read. */
  #matched = 0;
  #isEmpty = true;
  /** Between two events. */
  #isFresh = true;
  /** A line feed right after a carriage return belongs to the same line end. */
  #isAfterReturn = false;

  constructor(json: JsonUsage) {
    this.#json = json;
  }

  push(chunk: Buffer): void {
    // Nearly every chunk of a stream is a few whole events without a usage: native code tells.
    if (this.#isFresh && !this.#isAfterReturn && endsEvent(chunk) && !chunk.includes(USAGE)) return;
    let at = 0;
    let nextReturn = chunk.indexOf(CR);
    while (at < chunk.length) {
      if (this.#isAfterReturn) {
        this.#isAfterReturn = false;
        if (chunk[at] === LF) {
          at += 1;
          continue;
        }
      }
      const nextFeed = chunk.indexOf(LF, at);
      if (nextReturn >= 0 && nextReturn < at) nextReturn = chunk.indexOf(CR, at);
      const end = nearest(nextFeed, nextReturn, chunk.length);
      if (at < end) this.#pass(chunk, at, end);
      at = end;
      if (at === chunk.length) return;
      this.#isAfterReturn = chunk[at] === CR;
      this.#endLine();
      at += 1;
    }
  }

  /** Bytes of one line. */
  #pass(chunk: Buffer, from: number, to: number): void {
    this.#isEmpty = false;
    this.#isFresh = false;
    let at = from;
    while (this.#line === 'field' && at < to) {
      if (chunk[at] !== FIELD[this.#matched]) this.#line = 'skipped';
      else {
        this.#matched += 1;
        at += 1;
        if (this.#matched === FIELD.length) this.#beginData();
      }
    }
    if (this.#line === 'data' && at < to) this.#json.push(chunk, at, to);
  }

  /** Some upstreams leave out the blank line between events; a text that goes on over two lines is not over. */
  #beginData(): void {
    this.#line = 'data';
    if (this.#json.isOver) this.#json.reset();
  }

  #endLine(): void {
    if (this.#isEmpty) {
      this.#json.reset();
      this.#isFresh = true;
    }
    this.#line = 'field';
    this.#matched = 0;
    this.#isEmpty = true;
  }
}

/** The first of two places that were found, or else the end. */
function nearest(one: number, other: number, end: number): number {
  if (one < 0) return other < 0 ? end : other;
  return other < 0 ? one : Math.min(one, other);
}

/** Whether the last line is blank, if lines end in a line feed. */
function endsEvent(chunk: Buffer): boolean {
  const { length } = chunk;
  if (length < 4 || chunk[length - 1] !== LF) return false;
  return chunk[length - 2] === LF || (chunk[length - 2] === CR && chunk[length - 3] === LF);
}
