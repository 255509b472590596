// Random answers of models as JSON values, with every trap for a reader of `usage` in them; and random cuts of bytes.
import { randomOf } from '../../credentials/sample-pool.ts';

const WORDS = [
  'usage',
  '"usage":{"prompt_tokens":1}',
  'message',
  'é\u{1f600}',
  'a\\',
  '\\"',
  '{"usage":',
  '}',
  ']',
  ',',
  'line\r\nend\n\n',
  'data: {"usage":{"output_tokens":9}}',
  '',
];
const KEYS = ['id', 'usage', 'message', 'response', 'usage2', 'choices', 'u', '"usage"', 'usage\\', 'é'];
const FIGURES = [
  'prompt_tokens',
  'completion_tokens',
  'input_tokens',
  'output_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
];

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export class RandomAnswer {
  readonly #random: () => number;

  /** @param seed the same one gives the same answers */
  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  one<T>(of: readonly T[]): T {
    const picked = of[this.below(of.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** An answer, or an event of one; more often than not its usage is where one looks for it. */
  answer(): { [key: string]: Json } {
    const answer = this.#object(3);
    if (this.#random() < 0.4) answer['usage'] = this.#usage();
    if (this.#random() < 0.2)
      answer['message'] = { ...this.#object(1), usage: this.#usage(), ...this.#object(1) };
    if (this.#random() < 0.2) answer['response'] = { ...this.#object(1), usage: this.#usage() };
    return { ...answer, ...(this.#random() < 0.5 ? this.#object(2) : {}) };
  }

  /** The bytes in pieces, cut anywhere. */
  cut(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    const longest = this.one([1, 2, 7, 50, 1_000]);
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + this.below(longest);
      pieces.push(bytes.subarray(at, next));
      at = next;
    }
    return pieces;
  }

  #usage(): Json {
    if (this.#random() < 0.2) return this.one<Json>([null, 5, 'usage', [], {}]);
    const usage: { [key: string]: Json } = {};
    for (const figure of FIGURES) {
      if (this.#random() < 0.5) usage[figure] = this.one<Json>([this.below(100_000), 0, null, -1, 1.5, '7']);
    }
    if (this.#random() < 0.4)
      usage['prompt_tokens_details'] = { cached_tokens: this.below(1_000), note: '}"' };
    if (this.#random() < 0.3)
      usage['input_tokens_details'] = { usage: { cached_tokens: 1 }, cached_tokens: 3 };
    return usage;
  }

  #object(depth: number): { [key: string]: Json } {
    const members = Array.from({ length: this.below(5) }, () => [this.one(KEYS), this.#value(depth - 1)]);
    return Object.fromEntries(members);
  }

  #value(depth: number): Json {
    const kind = this.below(depth > 0 ? 6 : 4);
    if (kind === 5) return this.#object(depth);
    if (kind === 4) return Array.from({ length: this.below(4) }, () => this.#value(depth - 1));
    return kind === 0 ? this.one<Json>([null, true, 12.5e3, -1]) : this.#text();
  }

  #text(): string {
    const repeated = this.#random() < 0.1 ? 40 : 1;
    return Array.from({ length: this.below(4) }, () => this.one(WORDS).repeat(repeated)).join('');
  }
}
