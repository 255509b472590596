// A request body that is here whole, in the pieces that it came in. They are put together only where that is asked for:
// for a large body it takes the event loop a while.

/** As long as it is whole it can be read, rewritten and sent again. */
export class KeptBody {
  readonly type = 'kept' as const;
  readonly length: number;
  #pieces: readonly Buffer[];

  constructor(pieces: readonly Buffer[]) {
    this.#pieces = pieces;
    this.length = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /** All of it. */
  get bytes(): Buffer {
    const [only] = this.#pieces;
    if (this.#pieces.length === 1 && only !== undefined) return only;
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  /** Its pieces, for whom it is no use any more afterwards. */
  giveAway(): readonly Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}
