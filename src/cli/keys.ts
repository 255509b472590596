// `flow-proxy keys`: makes, lists, takes away and replaces client keys. A running flow-proxy sees the changed file
// within a second or two. A new key goes to standard output, once; everything else goes to standard error.
import { addKey, revokeKey, rotateKey } from '../clients/change-keys.ts';
import { editKeysFile } from '../clients/edit-keys-file.ts';
import { type ClientKeyEntry, type KeyLimits, readKeysFile } from '../clients/keys-file.ts';
import { ConfigError } from '../errors.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';

/** Prints a new key. */
export async function addClientKey(commandLine: CommandLine, name: string, limits: KeyLimits): Promise<void> {
  const file = keysFileOf(commandLine);
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
