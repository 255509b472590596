// Everything a start or a reload begins with: settings, credentials and what the settings point to, loaded aside and
// validated whole, all problems at once. Touches nothing that is in use.
import { type ClientKeyEntry, readKeysFile } from './clients/keys-file.ts';
import { readTlsPair, type TlsPair } from './clients/tls-pair.ts';
import { type LoadedSettings, type LoadInput, loadSettings } from './config/load.ts';
import { type CredentialEntry, readSecretsFile } from './credentials/secrets-file.ts';
import { ConfigError } from './errors.ts';
import { type Generation, makeGeneration } from './generation.ts';
import { openFileLimit, openFilesWarning } from './host/open-files.ts';

export interface Configuration extends LoadedSettings {
  readonly generation: Generation;
  readonly credentials: readonly CredentialEntry[];
  readonly clientKeys: readonly ClientKeyEntry[];
  /** null for plain HTTP. */
  readonly tls: TlsPair | null;
}

interface Findings {
  readonly problems: string[];
  readonly warnings: string[];
}

/**
 * @param number of the generation that the settings become
 * @throws ConfigError with every problem of the settings, or else of all the files they name
 */
export function loadConfiguration(input: LoadInput, number: number): Configuration {
  const loaded = loadSettings(input);
  const { secretsFile, clients } = loaded.settings;
  const found: Findings = { problems: [], warnings: [...loaded.warnings] };
  const secrets = collect(found, () => readSecretsFile(secretsFile), secretsFile);
  const generation = collect(found, () => makeGeneration(number, loaded.settings));
  const { keysFile, tls: files } = clients;
  const clientKeys = collect(found, () => (keysFile === null ? [] : readKeysFile(keysFile)));
  const tls = collect(found, () => (files === null ? null : readTlsPair(files, Date.now())));
  if (secrets === undefined || generation === undefined || clientKeys === undefined || tls === undefined)
    throw new ConfigError('configuration', found.problems, found.warnings);
  const tooFewFiles = openFilesWarning(generation.inbound.connections, openFileLimit());
  return {
    ...loaded,
    generation,
    credentials: secrets.credentials,
    clientKeys,
    tls,
    warnings: [...loaded.warnings, ...secrets.warnings, ...(tooFewFiles === undefined ? [] : [tooFewFiles])],
  };
}

function collect<T>({ problems, warnings }: Findings, read: () => T, file = ''): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    problems.push(...cause.problems.map((problem) => (file === '' ? problem : `${file}: ${problem}`)));
    warnings.push(...cause.warnings);
    return undefined;
  }
}
