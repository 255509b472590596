// Turns the last user text into the answer: deterministic, recognisable, and paced as the prompt asks.
// A prompt may hold `marker:XYZ` (each chunk is "XYZ "), `chunks:N` and `interval:MS`.
import { isJsonObject } from './json.ts';

const REPEATED_CHARACTERS = 2_000;
const MOST_CHUNKS = 100_000;

export interface Pace {
  readonly chunks: number;
  readonly intervalMs: number;
}

export interface Script {
  readonly text: string;
  /** The text in the pieces a stream delivers. */
  readonly pieces: readonly string[];
  readonly intervalMs: number;
}

/** Plans the answer to a prompt. */
export function scriptFor(prompt: string, pace: Pace): Script {
  const marker = directive(prompt, 'marker');
  const count = Math.min(MOST_CHUNKS, Math.max(1, number(prompt, 'chunks') ?? pace.chunks));
  const pieces =
    marker === null ? split(`Echo: ${prompt.slice(0, REPEATED_CHARACTERS)}`, count) : repeat(marker, count);
  return { text: pieces.join(''), pieces, intervalMs: number(prompt, 'interval') ?? pace.intervalMs };
}

/** The text of the last user turn that has any: in OpenAI's, Anthropic's and the Responses API's shapes. */
export function lastUserText(turns: unknown): string {
  if (typeof turns === 'string') return turns;
  if (!Array.isArray(turns)) return '';
  for (let at = turns.length - 1; at >= 0; at -= 1) {
    const turn: unknown = turns[at];
    const text = isJsonObject(turn) && turn['role'] === 'user' ? textOf(turn['content']) : '';
    if (text !== '') return text;
  }
  return '';
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .filter((text) => text !== '')
    .join(' ');
}

// By lastIndexOf, not a regular expression over the whole: prompts of several MB are normal.
function directive(prompt: string, name: string): string | null {
  const at = prompt.lastIndexOf(`${name}:`);
  if (at < 0) return null;
  const from = at + name.length + 1;
  return /^[^\s"]+/.exec(prompt.slice(from, from + 200))?.[0] ?? null;
}

function number(prompt: string, name: string): number | null {
  const value = directive(prompt, name);
  return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

function repeat(marker: string, count: number): string[] {
  return Array.from({ length: count }, () => `${marker} `);
}

function split(text: string, count: number): string[] {
  const characters = Array.from(text);
  const edge = (index: number): number => Math.round((index * characters.length) / count);
  return Array.from({ length: count }, (_, index) => characters.slice(edge(index), edge(index + 1)).join(''));
}
