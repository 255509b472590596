// The request filter as data: which parts of a request are taken out before it goes to the upstream, and where.
// It says nothing about how; src/proxy/rewrite/ does that.
import { ConfigError, messageOf } from '../errors.ts';
import { readText } from './read-text.ts';

/** What is removed from requests whose path matches. */
export interface RewriteRule {
  readonly name: string;
  /** Exact path, or a prefix when it ends in `*`; relative to the target's base, without the query. */
  readonly path: string;
  /** Header names, lower case. */
  readonly removeHeaders: readonly string[];
  /** Paths into a JSON body: member names joined by dots; `*` stands for any member or array element. */
  readonly removeBody: readonly string[];
  /** Names of query parameters. */
  readonly removeQuery: readonly string[];
}

const MAX_BYTES = 1024 * 1024;
const NONE = { removeHeaders: [], removeBody: [], removeQuery: [] } as const;
const FOR_CLAUDE_CODE = {
  ...NONE,
  removeHeaders: ['anthropic-beta'],
  removeBody: ['context_management'],
} as const;

/** Flow LLM Proxy refuses both on the Messages API ("Extra inputs are not permitted"); Claude Code always sends them. */
export const DEFAULT_REWRITE_RULES: readonly RewriteRule[] = [
  { name: 'claude-code', path: '/v1/messages', ...FOR_CLAUDE_CODE },
  { name: 'claude-code-more', path: '/v1/messages/*', ...FOR_CLAUDE_CODE },
];

const LISTS = ['removeHeaders', 'removeBody', 'removeQuery'] as const;
const FIELDS: readonly string[] = ['name', 'path', ...LISTS];
/** Without these there is no valid request left, or the body's framing is lost. */
const UNTOUCHABLE = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-encoding',
  'authorization',
]);

/**
 * The rules of a file, which replace the built-in ones (an empty array switches the filter off); the built-in ones
 * when no file is named.
 * @throws ConfigError with every problem of the file
 */
export function loadRewriteRules(path: string | null): readonly RewriteRule[] {
  if (path === null) return DEFAULT_REWRITE_RULES;
  const where = `FLOW_PROXY_REWRITE_RULES_FILE "${path}"`;
  const file = readText(path, MAX_BYTES);
  if ('fault' in file) throw new ConfigError(path, [`${where}: ${file.fault}`]);
  let value: unknown;
  try {
    value = JSON.parse(file.text);
  } catch (cause) {
    throw new ConfigError(path, [`${where} cannot be used: ${messageOf(cause)}`]);
  }
  if (!Array.isArray(value)) throw new ConfigError(path, [`${where} must hold a JSON array of rules`]);
  const problems: string[] = [];
  const rules = value.map((entry: unknown, index) => readRule(entry, `${where} rule ${index}`, problems));
  if (problems.length > 0) throw new ConfigError(path, problems);
  return rules;
}

function readRule(entry: unknown, where: string, problems: string[]): RewriteRule {
  const rule = { name: 'unnamed', path: '/', ...NONE };
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    problems.push(`${where} must be an object`);
    return rule;
  }
  const fields = new Map<string, unknown>(Object.entries(entry));
  for (const field of fields.keys()) {
    if (!FIELDS.includes(field))
      problems.push(`${where}: unknown field "${field}", known are ${FIELDS.join(', ')}`);
  }
  const name = fields.get('name');
  const path = fields.get('path');
  if (typeof path !== 'string' || !/^\/[^?#*]*\*?$/.test(path)) {
    problems.push(`${where}: path must start with "/" and may end in "*", got ${JSON.stringify(path)}`);
  }
  if (LISTS.every((field) => !fields.has(field)))
    problems.push(`${where} removes nothing: give ${LISTS.join(' or ')}`);
  return {
    name: typeof name === 'string' ? name : 'unnamed',
    path: typeof path === 'string' ? path : '/',
    removeHeaders: readHeaderNames(fields.get('removeHeaders'), where, problems),
    removeBody: readNames(fields.get('removeBody'), `${where}: removeBody`, problems),
    removeQuery: readNames(fields.get('removeQuery'), `${where}: removeQuery`, problems),
  };
}

function readHeaderNames(value: unknown, where: string, problems: string[]): string[] {
  const names = readNames(value, `${where}: removeHeaders`, problems).map((name) => name.toLowerCase());
  for (const name of names) {
    if (UNTOUCHABLE.has(name)) problems.push(`${where}: removeHeaders must not name "${name}"`);
  }
  return names;
}

function readNames(value: unknown, where: string, problems: string[]): string[] {
  if (value === undefined) return [];
  const isList = Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
  if (isList) return value;
  problems.push(`${where} must be an array of non-empty strings, got ${JSON.stringify(value)}`);
  return [];
}
