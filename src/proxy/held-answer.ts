// An answer that another attempt may make unnecessary. It is kept, within a bound, because the client gets the last
// one that came when no attempt did better.

/** Beyond this an answer is no error message any more and is relayed at once. */
const LONGEST_BODY = 256 * 1024;

/** Head and body of an answer, as they came. */
export class HeldAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly statusText: string;
  readonly chunks: Buffer[] = [];
  #bytes = 0;

  constructor(status: number, headers: readonly string[], statusText: string) {
    this.status = status;
    this.headers = headers;
    this.statusText = statusText;
  }

  /** @returns false when it has become too long to be held */
  push(chunk: Buffer): boolean {
    // A copy: what it lies in is read into again.
    this.chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    return this.#bytes <= LONGEST_BODY;
  }
}
