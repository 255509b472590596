// Random JSON texts as people and programs write them, and what removing by paths means on a parsed value.
import type { JsonPath } from '../../../../src/proxy/rewrite/cut-json.ts';

const NAMES = [
  'a',
  'b',
  'é',
  'x y',
  'sl/ash',
  'q"uote',
  'back\\slash',
  '',
  '*',
  '0',
  '\u{1f600}',
  'new\nline',
  '__proto__',
];
const NUMBERS = ['0', '-0', '1.0', '12345678901234567890', '1e400', '-2.50E+3', '7'];
const SPACES = ['', '', '', ' ', '\n', '\t ', '\r\n  '];

export class RandomJson {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A text with spaces around it. */
  text(): string {
    return this.#space() + this.#value(4) + this.#space();
  }

  /** One to three paths, of which some lead somewhere. */
  paths(): JsonPath[] {
    return this.#many(1 + this.#below(3), () =>
      this.#many(1 + this.#below(3), () => (this.#random() < 0.3 ? '*' : this.#one(NAMES))),
    );
  }

  #value(depth: number): string {
    const kind = depth === 0 ? this.#below(3) : this.#below(7);
    if (kind === 0) return this.#one(NUMBERS);
    if (kind === 1) return this.#one(['true', 'false', 'null']);
    if (kind === 2) return this.#string(this.#one([...NAMES, '{"a":1}', '],"b":[', '\\"', '\u0001']));
    if (kind < 6) {
      const members = this.#many(this.#below(5), () => {
        const name = this.#space() + this.#string(this.#one(NAMES)) + this.#space();
        return `${name}:${this.#space()}${this.#value(depth - 1)}${this.#space()}`;
      });
      return `{${members.join(',') || this.#space()}}`;
    }
    const elements = this.#many(this.#below(5), () => this.#space() + this.#value(depth - 1) + this.#space());
    return `[${elements.join(',') || this.#space()}]`;
  }

  /** The same string in one of its many spellings. */
  #string(text: string): string {
    if (this.#random() < 0.6) return JSON.stringify(text);
    const escaped = text.split('').map((unit) => {
      if (unit === '/' && this.#random() < 0.5) return '\\/';
      const code = unit.charCodeAt(0).toString(16).padStart(4, '0');
      return this.#random() < 0.5 ? `\\u${code}` : `\\u${code.toUpperCase()}`;
    });
    return `"${escaped.join('')}"`;
  }

  #space(): string {
    return this.#one(SPACES);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #one(list: readonly string[]): string {
    return list[this.#below(list.length)] ?? '';
  }

  #many<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

/** A parsed value without what the paths name. Array elements close the gap. */
export function withoutPaths(value: unknown, paths: readonly JsonPath[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const isArray = Array.isArray(value);
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const rest = paths.filter(([first]) => first === '*' || first === name).map((path) => path.slice(1));
    if (rest.some((path) => path.length === 0)) return [];
    return [[name, withoutPaths(member, rest)]];
  });
  return isArray ? kept.map(([, member]) => member) : Object.fromEntries(kept);
}

/** Whether all bytes of one text stand in the other, in order. */
export function isSubsequence(part: Buffer, whole: Buffer): boolean {
  let at = 0;
  for (const byte of whole) if (byte === part[at]) at += 1;
  return at === part.length;
}
