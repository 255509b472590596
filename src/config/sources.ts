// Where each setting's text comes from: flag, then environment, then .env file; an empty one is unset.
// Whether the text is any good is check.ts's.
import type { EnvFile } from './env-file.ts';
import type { Variables } from './outbound-proxy.ts';
import { flagOf, SETTING_NAMES, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';

/** What decided a setting. */
export type Source = 'flag' | 'environment' | 'env file' | 'default';

/** A setting somebody gave: its text, and how a message names the place. */
export interface Given {
  readonly text: string;
  readonly source: Exclude<Source, 'default'>;
  readonly place: string;
}

/** The settings that were given, by name; all others have their defaults. */
export type GivenSettings = ReadonlyMap<SettingName, Given>;

/** Finds the text of each setting at the first place that has one. */
export function givenSettings(flags: Variables, environment: Variables, envFile: EnvFile): GivenSettings {
  const given = new Map<SettingName, Given>();
  for (const name of SETTING_NAMES) {
    const variable = variableOf(name);
    const first =
      givenBy('flag', flags[name], flagOf(name)) ??
      givenBy('environment', environment[variable], variable) ??
      givenBy('env file', envFile.variables[variable], `${variable} (${envFile.placeOf(variable)})`);
    if (first !== undefined) given.set(name, first);
  }
  return given;
}

function givenBy(source: Given['source'], text: string | undefined, place: string): Given | undefined {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? undefined : { text: trimmed, source, place };
}
