// `flow-proxy keys`: makes, lists, takes away and replaces client keys. A running flow-proxy sees the changed file
// within a second or two. A new key goes to standard output, once; everything else goes to standard error.
import { addKey, KeysChangeError, revokeKey, rotateKey } from '../clients/change-keys.ts';
import { editKeysFile } from '../clients/edit-keys-file.ts';
import {
  type ClientKeyEntry,
  isKeyName,
  isModelPattern,
  type KeyLimits,
  MOST_CONCURRENT,
  MOST_PER_MINUTE,
  NAME_RULE,
  readKeysFile,
} from '../clients/keys-file.ts';
import { ConfigError } from '../errors.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';

/** Limits as they were written on the command line. */
export interface LimitOptions {
  readonly rpm: string | undefined;
  readonly concurrent: string | undefined;
  readonly models: string | undefined;
}

/** Prints a new key. */
export async function addClientKey(
  commandLine: CommandLine,
  name: string,
  options: LimitOptions,
): Promise<void> {
  const file = keysFileOf(commandLine);
  if (!isKeyName(name)) throw new KeysChangeError(`"${name}" cannot be the name of a key; take ${NAME_RULE}`);
  const limits = readLimits(options);
  const key = await editKeysFile(file, (entries) => addKey(entries, name, limits, new Date()));
  show(key, `Key "${name}" is in ${file}.`);
}

/** Prints a new key, which replaces the old one. */
export async function rotateClientKey(commandLine: CommandLine, name: string): Promise<void> {
  const file = keysFileOf(commandLine);
  const key = await editKeysFile(file, (entries) => rotateKey(entries, name, new Date()));
  show(key, `Key "${name}" was replaced in ${file}; the old one is not valid any more.`);
}

export async function revokeClientKey(commandLine: CommandLine, name: string): Promise<void> {
  const file = keysFileOf(commandLine);
  await editKeysFile(file, (entries) => revokeKey(entries, name));
  console.error(`Key "${name}" is not valid any more.`);
}

/** Prints names and limits; the keys themselves are known to nobody but their clients. */
export function listClientKeys(commandLine: CommandLine, asJson: boolean): void {
  const entries = readKeysFile(keysFileOf(commandLine));
  if (asJson)
    console.log(
      JSON.stringify(
        entries.map(({ hash: _hash, ...shown }) => shown),
        null,
        2,
      ),
    );
  else process.stdout.write(table(entries));
}

/** Only this setting matters here, but all of them are read: a mistake in any is better heard of now. */
function keysFileOf(commandLine: CommandLine): string {
  const { keysFile } = prepareSettings(commandLine).settings.clients;
  if (keysFile !== null) return keysFile;
  const fix = 'set FLOW_PROXY_CLIENT_KEYS_FILE, or give --client-keys-file FILE';
  throw new ConfigError('client keys', [`there is no file for client keys: ${fix}`]);
}

function readLimits({ rpm, concurrent, models }: LimitOptions): KeyLimits {
  return {
    requestsPerMinute: readCount('--rpm', rpm, MOST_PER_MINUTE),
    concurrent: readCount('--concurrent', concurrent, MOST_CONCURRENT),
    models: readPatterns(models),
  };
}

function readCount(flag: string, text: string | undefined, most: number): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw new KeysChangeError(`${flag} "${text}": expected a whole number from 1 to ${most}`);
}

function readPatterns(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const patterns = text.split(',').map((pattern) => pattern.trim());
  if (patterns.every(isModelPattern)) return patterns;
  throw new KeysChangeError(
    `--models "${text}": expected names separated by commas, each of which may hold *`,
  );
}

function show(key: string, what: string): void {
  console.error(what);
  console.error(
    'This is the only time it is shown; clients send it as "Authorization: Bearer KEY" or "x-api-key: KEY":',
  );
  console.log(key);
}

function table(entries: readonly ClientKeyEntry[]): string {
  const rows = [
    ['NAME', 'PER MINUTE', 'AT A TIME', 'MODELS', 'CREATED', 'ROTATED'],
    ...entries.map(({ name, requestsPerMinute, concurrent, models, createdAt, rotatedAt }) => [
      name,
      String(requestsPerMinute ?? 'any'),
      String(concurrent ?? 'any'),
      models?.join(',') ?? 'any',
      createdAt?.slice(0, 10) ?? '',
      rotatedAt?.slice(0, 10) ?? '',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
