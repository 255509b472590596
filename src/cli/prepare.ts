// Everything a command needs before it does anything: settings, credentials and what the settings point to, all
// validated, all problems at once.
import { type ClientKeyEntry, readKeysFile } from '../clients/keys-file.ts';
import { readTlsPair, type TlsPair } from '../clients/tls-pair.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import { type CredentialEntry, readSecretsFile } from '../credentials/secrets-file.ts';
import { ConfigError } from '../errors.ts';
import { type Generation, makeGeneration } from '../generation.ts';

/** What the command line gave. */
export interface CommandLine {
  /** By setting name. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly envFile: string | undefined;
}

export interface Prepared extends LoadedSettings {
  readonly generation: Generation;
  readonly credentials: readonly CredentialEntry[];
  readonly clientKeys: readonly ClientKeyEntry[];
  /** null for plain HTTP. */
  readonly tls: TlsPair | null;
}

/** @throws ConfigError with every problem of the settings */
export function prepareSettings({ flags, envFile }: CommandLine): LoadedSettings {
  return loadSettings({ flags, envFile, environment: process.env, cwd: process.cwd() });
}

/** @throws ConfigError with every problem of the settings, or else of all the files they name */
export function prepare(commandLine: CommandLine): Prepared {
  const loaded = prepareSettings(commandLine);
  const problems: string[] = [];
  const secrets = collect(
    problems,
    () => readSecretsFile(loaded.settings.secretsFile),
    loaded.settings.secretsFile,
  );
  const generation = collect(problems, () => makeGeneration(1, loaded.settings));
  const { keysFile, tls: files } = loaded.settings.clients;
  const clientKeys = collect(problems, () => (keysFile === null ? [] : readKeysFile(keysFile)));
  const tls = collect(problems, () => (files === null ? null : readTlsPair(files, Date.now())));
  if (secrets === undefined || generation === undefined || clientKeys === undefined || tls === undefined)
    throw new ConfigError('configuration', problems);
  return {
    ...loaded,
    generation,
    credentials: secrets.credentials,
    clientKeys,
    tls,
    warnings: [...loaded.warnings, ...secrets.warnings],
  };
}

function collect<T>(problems: string[], read: () => T, file = ''): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    problems.push(
      ...cause.problems.map((problem) =>
        file === '' || problem.includes(file) ? problem : `${file}: ${problem}`,
      ),
    );
    return undefined;
  }
}
