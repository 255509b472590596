// Reads the tokens of one answer while it is relayed, without changing, holding or keeping a byte of it.
import { EventUsage } from './event-usage.ts';
import { JsonUsage } from './json-usage.ts';
import { type Tokens, TokenUsage } from './token-usage.ts';

/** What an answer's body is, as its headers tell. */
export type BodyKind = 'json' | 'events' | 'other';

export class UsageReader {
  readonly #usage = new TokenUsage();
  readonly #json: JsonUsage;
  /** null for a body that is one JSON text. */
  readonly #events: EventUsage | null;

  constructor(kind: 'json' | 'events') {
    this.#json = new JsonUsage((text) => this.#usage.add(text));
    this.#events = kind === 'events' ? new EventUsage(this.#json) : null;
  }

  push(chunk: Buffer): void {
    if (this.#events === null) this.#json.push(chunk, 0, chunk.length);
    else this.#events.push(chunk);
  }

  /** What was told so far; null when nothing was. */
  get tokens(): Tokens | null {
    return this.#usage.tokens;
  }
}
