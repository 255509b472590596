// Which files belong to an installation besides its code: settings, secrets, keys, certificates, units. Nothing that
// can be made again.
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LoadInput } from '../config/load.ts';
import { peekSettings } from '../config/peek.ts';

/** Where ops/install.sh puts the environment file. */
const SYSTEM_ENV_FILE = '/etc/flow-proxy/flow-proxy.env';
const UNIT_FOLDER = '/etc/systemd/system';
const UNITS = ['flow-proxy-plugin.service', 'flow-proxy.service', 'flow-proxy.socket'];
const LOGROTATE_FILE = '/etc/logrotate.d/flow-proxy';
/** Settings that name a file which only this installation has. */
const FILE_SETTINGS = [
  'secretsFile',
  'clientKeysFile',
  'tlsCertFile',
  'tlsKeyFile',
  'upstreamCaFile',
  'rewriteRulesFile',
] as const;

export interface InstallationFiles {
  readonly envFile: string | null;
  /** Absolute, those that are there. */
  readonly present: readonly string[];
  /** Named by settings, but not there. */
  readonly missing: readonly string[];
}

/** The environment file that decides: the one asked for, `.env` here, or that of the system's service. */
export function environmentFile({ envFile, cwd }: Pick<LoadInput, 'envFile' | 'cwd'>): string | null {
  if (envFile !== undefined) return resolve(cwd, envFile);
  const candidates = [join(cwd, '.env'), SYSTEM_ENV_FILE];
  return candidates.find((path) => existsSync(path) && lstatSync(path).isFile()) ?? null;
}

/** Looks at the settings without judging them: a broken installation is worth a backup, too. */
export function installationFiles(input: LoadInput): InstallationFiles {
  const envFile = environmentFile(input);
  const setting = peekSettings({ ...input, envFile: envFile ?? undefined });
  const named = FILE_SETTINGS.flatMap((name) => {
    const path = setting(name);
    return path === '' ? [] : [resolve(input.cwd, path)];
  });
  const wanted = [...(envFile === null ? [] : [envFile]), ...named];
  return {
    envFile,
    present: [...new Set([...wanted.filter((path) => existsSync(path)), ...systemFiles()])],
    missing: wanted.filter((path) => !existsSync(path)),
  };
}

/** The second name of a unit is a link that `systemctl enable` makes. */
function systemFiles(): string[] {
  const units = UNITS.map((name) => join(UNIT_FOLDER, name));
  const dropIns = units.flatMap((unit) => {
    const folder = `${unit}.d`;
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  });
  return [...units, ...dropIns, LOGROTATE_FILE].filter(
    (path) => existsSync(path) && lstatSync(path).isFile(),
  );
}
