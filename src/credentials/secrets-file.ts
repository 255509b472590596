// Reads secrets.json whole: valid credentials, or every problem at once; never a clientSecret in a message.
// What becomes of the credentials at run time is the ledger's.
import { createHash } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import { nearestName } from '../config/nearest-name.ts';
import { readText, type TextFile } from '../config/read-text.ts';
import { parseRelaxedJson } from '../config/relaxed-json.ts';
import { ConfigError } from '../errors.ts';

/** One credential of the upstream. */
export interface CredentialEntry {
  /** Unique in its file; shown in logs. */
  readonly name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  /** Its share of the requests, against the other weights. */
  readonly weight: number;
  /** Stable as long as clientId, tenant and clientSecret stay; gives none of them away. */
  readonly id: string;
}

/** The credentials of a file, and what its owner should hear about it. */
export interface SecretsFile {
  readonly credentials: readonly CredentialEntry[];
  readonly warnings: readonly string[];
}

/** An entry before it has a name of its own and before repeated ones are merged. */
interface RawEntry extends Omit<CredentialEntry, 'name'> {
  readonly name: string | undefined;
  readonly position: number;
}

/** What can be told of an entry that cannot be used, too. */
type NamedEntry = Pick<RawEntry, 'name' | 'position' | 'id'>;

/** Where the checks put what they find. */
interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
  readonly named: NamedEntry[];
}

const MAX_BYTES = 1024 * 1024;
const MAX_WEIGHT = 1000;
const MAX_NAME_LENGTH = 64;
/** A shorter one may be part of a name by chance. */
const SHORTEST_SECRET = 8;
const SECRET_FIELDS = ['clientId', 'clientSecret', 'tenant'] as const;
/** The last two are informative and never sent. */
const KNOWN_FIELDS: readonly string[] = ['name', ...SECRET_FIELDS, 'weight', 'agent', 'appToAccess'];
const PLACEHOLDER = /^your[-_ ]?(client[-_ ]?id|client[-_ ]?secret|tenant)|^<.*>$/i;
const UNFIT_FOR_LOGS = /[\p{Cc}\p{Zl}\p{Zp}'"]/u;

/**
 * Reads and validates a secrets file.
 * @throws {ConfigError} with all problems of the file
 */
export function readSecretsFile(path: string): SecretsFile {
  const file = readText(path, MAX_BYTES);
  if ('fault' in file) throw new ConfigError(path, [explainFault(file, path)]);
  const json = parseRelaxedJson(file.text);
  if ('fault' in json) throw new ConfigError(path, [json.fault]);

  const findings: Findings = { problems: [], warnings: modeWarnings(file, path), named: [] };
  const entries = readEntries(json.value, findings);
  findings.problems.push(...ambiguousNames(findings.named));
  if (findings.problems.length > 0) throw new ConfigError(path, findings.problems, findings.warnings);
  return { credentials: mergeRepeated(entries, findings), warnings: findings.warnings };
}

function explainFault(file: Extract<TextFile, { fault: string }>, path: string): string {
  if (file.code === 'EISDIR') return `${file.fault}; Docker makes one when the file to mount is not there`;
  if (file.code !== 'ENOENT') return file.fault;
  const fromHere = relative('', path);
  const shown = fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere;
  return `${file.fault}; make one with \`cp secrets.json.template ${shown} && chmod 600 ${shown}\`, then fill it in, or name another one by FLOW_PROXY_SECRETS_FILE`;
}

/** A file of another user reaches us by its group, as a mounted Secret of Kubernetes does: that is how it is meant. */
function modeWarnings({ mode, isOurs }: Extract<TextFile, { mode: number }>, path: string): string[] {
  if (process.platform === 'win32' || (mode & (isOurs ? 0o077 : 0o007)) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return [`${path} is open to others than its owner (mode ${octal}); close it with \`chmod 600 ${path}\``];
}

function readEntries(value: unknown, findings: Findings): RawEntry[] {
  if (!Array.isArray(value)) findings.problems.push('must be an array of credentials: [{ … }, { … }]');
  else if (value.length === 0) findings.problems.push('holds no credentials; add at least one');
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items
    .map((item, index) => readEntry(item, index + 1, findings))
    .filter((entry) => entry !== undefined);
}

/** Reads one entry; undefined when it cannot be used, which the findings say. */
function readEntry(item: unknown, position: number, findings: Findings): RawEntry | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    findings.problems.push(`entry ${position}: must be an object with ${SECRET_FIELDS.join(', ')}`);
    return undefined;
  }
  const fields = new Map<string, unknown>(Object.entries(item));
  const nameProblem = checkName(fields);
  const name = nameProblem === undefined ? textOf(fields, 'name')?.trim() : undefined;
  const where = name === undefined ? `entry ${position}` : `entry ${position} ("${name}")`;
  const weight = fields.has('weight') ? fields.get('weight') : 1;
  const problems = [
    nameProblem,
    ...SECRET_FIELDS.map((field) => checkSecret(fields, field)),
    checkWeight(weight),
  ];
  const found = problems.filter((problem) => problem !== undefined);
  findings.problems.push(...found.map((problem) => `${where}: ${problem}`));
  findings.warnings.push(...unknownFields(fields).map((warning) => `${where}: ${warning}`));

  const [clientId = '', clientSecret = '', tenant = ''] = SECRET_FIELDS.map((field) => textOf(fields, field));
  const id = idOf(clientId, tenant, clientSecret);
  findings.named.push({ name, position, id });
  if (found.length > 0 || typeof weight !== 'number') return undefined;
  return { name, clientId, clientSecret, tenant, weight, position, id };
}

function textOf(fields: ReadonlyMap<string, unknown>, field: string): string | undefined {
  const value = fields.get(field);
  return typeof value === 'string' ? value : undefined;
}

/** A name goes into every log line, so that one that breaks the line or holds the secret is refused. */
function checkName(fields: ReadonlyMap<string, unknown>): string | undefined {
  if (!fields.has('name')) return undefined;
  const name = textOf(fields, 'name')?.trim() ?? '';
  const secret = textOf(fields, 'clientSecret')?.trim() ?? '';
  if (name === '') return 'name must be a text that is not blank; leave it out to get a default';
  if (secret.length >= SHORTEST_SECRET && name.includes(secret))
    return 'name must not hold the clientSecret, it is shown in logs';
  if (name.length > MAX_NAME_LENGTH) return `name is longer than ${MAX_NAME_LENGTH} characters`;
  if (!UNFIT_FOR_LOGS.test(name)) return undefined;
  return 'name holds a quote, a line break or a control character, which would break log lines';
}

function checkSecret(fields: ReadonlyMap<string, unknown>, field: string): string | undefined {
  const value = fields.get(field);
  if (value === undefined) {
    const meant = nearestName(field, unknownKeys(fields).filter(isPrintable));
    return meant === undefined
      ? `${field} is missing`
      : `${field} is missing (is it what "${meant}" should be?)`;
  }
  if (typeof value !== 'string') return `${field} must be a text in quotes`;
  if (value.trim() === '') return `${field} is blank`;
  if (value.trim() !== value)
    return `${field} begins or ends with white space, probably from pasting; remove it`;
  if (PLACEHOLDER.test(value))
    return `${field} is still the placeholder of the template; put in the real value`;
  return undefined;
}

function checkWeight(weight: unknown): string | undefined {
  if (typeof weight === 'number' && weight > 0 && weight <= MAX_WEIGHT) return undefined;
  const shown = typeof weight === 'number' ? `, not ${weight}` : '';
  return `weight must be a number above 0 and up to ${MAX_WEIGHT}${shown}`;
}

function unknownFields(fields: ReadonlyMap<string, unknown>): string[] {
  return unknownKeys(fields).map((key) => {
    const shown = isPrintable(key) ? `"${key}"` : '(name not shown)';
    return `unknown field ${shown} is ignored; known are ${KNOWN_FIELDS.join(', ')}`;
  });
}

function unknownKeys(fields: ReadonlyMap<string, unknown>): string[] {
  return [...fields.keys()].filter((key) => !KNOWN_FIELDS.includes(key));
}

/** A field's name may be shown when it looks like one and not like something pasted. */
function isPrintable(key: string): boolean {
  return /^[a-z_-]{1,32}$/i.test(key);
}

function idOf(clientId: string, tenant: string, clientSecret: string): string {
  const identity = JSON.stringify([clientId, tenant, clientSecret]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 12);
}

/** Names that stand for more than one credential. */
function ambiguousNames(entries: readonly NamedEntry[]): string[] {
  const named = entries.filter((entry) => entry.name !== undefined);
  return named.flatMap((entry, index) => {
    const first = named.findIndex(({ name }) => name === entry.name);
    const earlier = named[first];
    if (earlier === undefined || first === index || earlier.id === entry.id) return [];
    const where = `entries ${earlier.position} and ${entry.position}`;
    return [`${where}: both are named "${entry.name}" but are different credentials; give each its own name`];
  });
}

/** A repeated entry adds its weight to the first; a credential without a name gets one. */
function mergeRepeated(entries: readonly RawEntry[], { warnings }: Findings): CredentialEntry[] {
  const merged = new Map<string, RawEntry>();
  for (const entry of entries) {
    const first = merged.get(entry.id) ?? { ...entry, weight: 0 };
    const name = first.name ?? entry.name;
    if (entry.name !== undefined && entry.name !== name) {
      warnings.push(
        `"${name}" and "${entry.name}" are the same credential; "${name}" gets the weight of both`,
      );
    }
    merged.set(entry.id, { ...first, name, weight: first.weight + entry.weight });
  }
  const taken = new Set([...merged.values()].map(({ name }) => name));
  return [...merged.values()].map(({ position, name, ...entry }) => {
    return { ...entry, name: name ?? defaultName(position, taken) };
  });
}

/** `config3` for the third entry, or `config3-2` when another entry has that name. */
function defaultName(position: number, taken: ReadonlySet<string | undefined>): string {
  let name = `config${position}`;
  for (let attempt = 2; taken.has(name); attempt += 1) name = `config${position}-${attempt}`;
  return name;
}
