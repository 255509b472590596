// Prepares rewrite rules once per generation, and finds the ones that concern a request by its path.
import type { RewriteRule } from '../../config/rewrite-rules.ts';
import type { JsonPath } from './cut-json.ts';

/** What is to be removed from one request, all matching rules taken together. */
export interface Removals {
  readonly headers: readonly string[];
  readonly body: readonly JsonPath[];
  readonly query: readonly string[];
}

const NO_REMOVALS: Removals = { headers: [], body: [], query: [] };
/** Bounds the memory that differing paths can take. */
const PATHS_REMEMBERED = 500;

/** The rules of a generation, ready to be asked. */
export class RewriteRules {
  readonly #rules: readonly RewriteRule[];
  readonly #byPath = new Map<string, Removals>();

  constructor(rules: readonly RewriteRule[]) {
    this.#rules = rules;
  }

  removalsFor(path: string): Removals {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const matching = this.#rules.filter((rule) => matches(rule.path, path));
    const removals = matching.length === 0 ? NO_REMOVALS : combine(matching);
    if (this.#byPath.size < PATHS_REMEMBERED) this.#byPath.set(path, removals);
    return removals;
  }
}

function matches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

function combine(rules: readonly RewriteRule[]): Removals {
  return {
    headers: rules.flatMap((rule) => rule.removeHeaders),
    body: rules.flatMap((rule) => rule.removeBody).map((path) => path.split('.')),
    query: rules.flatMap((rule) => rule.removeQuery),
  };
}

/** The query without the named parameters; every other byte stays. */
export function withoutParameters(query: string, names: readonly string[]): string {
  if (names.length === 0 || query === '') return query;
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => !names.includes(decodeName(pair.split('=', 1)[0] ?? '')));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
