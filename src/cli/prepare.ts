// What the command line gave, and the settings and files it leads to.

import { readEnvFile } from '../config/env-file.ts';
import { type LoadedSettings, type LoadInput, loadSettings } from '../config/load.ts';
import { type Configuration, loadConfiguration } from '../configuration.ts';

/** What the command line gave. */
export interface CommandLine {
  /** By setting name. */
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly envFile: string | undefined;
}

/** What settings are loaded from: now, and again with every reload. */
export function loadInput({ flags, envFile }: CommandLine): LoadInput {
  return { flags, envFile, environment: process.env, cwd: process.cwd() };
}

/**
 * The same for a reload, which reads the env file again. A variable that had one value in the environment and in that
 * file came from the file: systemd's EnvironmentFile= has put it there once and for all, and the file is what an
 * operator edits.
 */
export function reloadInput(atStart: LoadInput): LoadInput {
  const { variables } = readEnvFile(atStart.envFile, atStart.cwd);
  const environment = Object.entries(atStart.environment).filter(
    ([name, value]) => variables[name] !== value,
  );
  return { ...atStart, environment: Object.fromEntries(environment) };
}

/** @throws ConfigError with every problem of the settings */
export function prepareSettings(commandLine: CommandLine): LoadedSettings {
  return loadSettings(loadInput(commandLine));
}

/** @throws ConfigError with every problem of the settings, or else of all the files they name */
export function prepare(commandLine: CommandLine): Configuration {
  return loadConfiguration(loadInput(commandLine), 1);
}
