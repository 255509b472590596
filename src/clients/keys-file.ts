// Reads the file of client keys whole: valid keys, or every problem at once; never a key nor its hash in a message.
// Changing it is edit-keys-file.ts's.
import { nearestName } from '../config/nearest-name.ts';
import { readText } from '../config/read-text.ts';
import { parseRelaxedJson } from '../config/relaxed-json.ts';
import { ConfigError } from '../errors.ts';
import { isStoredHash } from './client-key.ts';

/** One client key as the file has it. */
export interface ClientKeyEntry {
  /** Unique in its file; shown in logs. */
  readonly name: string;
  readonly hash: string;
  /** ISO-8601. */
  readonly createdAt: string | null;
  readonly rotatedAt: string | null;
  /** null is no limit. */
  readonly requestsPerMinute: number | null;
  /** Exchanges at a time; null is no limit. */
  readonly concurrent: number | null;
  /** Patterns of model names; null is all models. */
  readonly models: readonly string[] | null;
}

/** The limits of a key. */
export type KeyLimits = Pick<ClientKeyEntry, 'requestsPerMinute' | 'concurrent' | 'models'>;

const MAX_BYTES = 1024 * 1024;
const MOST_KEYS = 1_000;
export const MOST_PER_MINUTE = 100_000;
export const MOST_CONCURRENT = 100_000;
const FIELDS = ['name', 'hash', 'createdAt', 'rotatedAt', 'requestsPerMinute', 'concurrent', 'models'];
const NAME = /^[A-Za-z0-9][\w.@+-]{0,63}$/;
const PATTERN = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;

/** What a name of a key may look like, as the end of a sentence. */
export const NAME_RULE = 'up to 64 letters, digits and . _ - @ +, beginning with a letter or digit';

/** Whether a text may be the name of a key. */
export function isKeyName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text may be a pattern of models: printable, no space, no comma. */
export function isModelPattern(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * Reads and validates a file of client keys.
 * @throws ConfigError with all problems of the file
 */
export function readKeysFile(path: string): readonly ClientKeyEntry[] {
  const file = readText(path, MAX_BYTES);
  if ('fault' in file) {
    const hint = file.code === 'ENOENT' ? '; make it with `flow-proxy keys add NAME`' : '';
    throw new ConfigError(path, [`${path}: ${file.fault}${hint}`]);
  }
  const json = parseRelaxedJson(file.text);
  if ('fault' in json) throw new ConfigError(path, [`${path}: ${json.fault}`]);
  const problems: string[] = [];
  const entries = listOf(json.value, problems).map((item, index) => readEntry(item, index + 1, problems));
  problems.push(...repeated(entries));
  if (problems.length > 0) {
    throw new ConfigError(
      path,
      problems.map((problem) => `${path}: ${problem}`),
    );
  }
  return entries;
}

function listOf(value: unknown, problems: string[]): readonly unknown[] {
  const keys = isObject(value) ? new Map<string, unknown>(Object.entries(value)).get('keys') : undefined;
  if (!Array.isArray(keys)) {
    problems.push('must be an object with the client keys in an array: {"keys": [ … ]}');
    return [];
  }
  if (keys.length > MOST_KEYS) problems.push(`holds more than ${MOST_KEYS} keys`);
  return keys;
}

function readEntry(item: unknown, position: number, problems: string[]): ClientKeyEntry {
  if (!isObject(item)) problems.push(`key ${position}: must be an object with name and hash`);
  const fields = new Map<string, unknown>(isObject(item) ? Object.entries(item) : []);
  const name = textOf(fields, 'name');
  const where = isKeyName(name) ? `key ${position} ("${name}")` : `key ${position}`;
  const complain = (problem: string): void => {
    problems.push(`${where}: ${problem}`);
  };
  if (isObject(item)) checkIdentity(fields, name, complain);
  return {
    name,
    hash: textOf(fields, 'hash'),
    createdAt: readTime(fields, 'createdAt', complain),
    rotatedAt: readTime(fields, 'rotatedAt', complain),
    requestsPerMinute: readCount(fields, 'requestsPerMinute', MOST_PER_MINUTE, complain),
    concurrent: readCount(fields, 'concurrent', MOST_CONCURRENT, complain),
    models: readModels(fields, complain),
  };
}

type Complain = (problem: string) => void;

/** What is in the file in place of a hash may be a key: it is never quoted. */
function checkIdentity(fields: ReadonlyMap<string, unknown>, name: string, complain: Complain): void {
  if (!isKeyName(name)) complain(`name must be ${NAME_RULE}`);
  if (!isStoredHash(textOf(fields, 'hash'))) {
    complain('hash must be "sha256:" and 64 hexadecimal digits; flow-proxy keys rotate makes a new one');
  }
  for (const field of fields.keys()) {
    if (FIELDS.includes(field)) continue;
    const nearest = nearestName(field, FIELDS);
    complain(
      `has an unknown field${nearest === undefined ? '' : ` that looks like ${nearest}`}; known are ${FIELDS.join(', ')}`,
    );
  }
}

function readTime(fields: ReadonlyMap<string, unknown>, field: string, complain: Complain): string | null {
  const value = fields.get(field) ?? null;
  if (value === null) return null;
  if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return value;
  complain(`${field} must be a time such as 2027-01-31T12:00:00Z`);
  return null;
}

function readCount(
  fields: ReadonlyMap<string, unknown>,
  field: string,
  most: number,
  complain: Complain,
): number | null {
  const value = fields.get(field) ?? null;
  if (value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  complain(`${field} must be a whole number from 1 to ${most}, or left out for no limit`);
  return null;
}

function readModels(fields: ReadonlyMap<string, unknown>, complain: Complain): readonly string[] | null {
  const value = fields.get('models') ?? null;
  if (value === null) return null;
  const patterns: unknown[] = Array.isArray(value) ? value : [];
  const valid = patterns.filter((item) => typeof item === 'string').filter(isModelPattern);
  if (valid.length === patterns.length && valid.length > 0) return valid;
  complain('models must be an array of names, each of which may hold *, or left out for all models');
  return null;
}

/** A name stands for one key, and a key for one name. */
function repeated(entries: readonly ClientKeyEntry[]): string[] {
  return (['name', 'hash'] as const).flatMap((field) => {
    const first = new Map<string, number>();
    return entries.flatMap((entry, index) => {
      const value = entry[field];
      const earlier = first.get(value);
      if (earlier === undefined) first.set(value, index + 1);
      const isFault = earlier !== undefined && value !== '';
      return isFault ? [`keys ${earlier} and ${index + 1} have the same ${field}`] : [];
    });
  });
}

function textOf(fields: ReadonlyMap<string, unknown>, field: string): string {
  const value = fields.get(field);
  return typeof value === 'string' ? value : '';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
