// Looks up single settings without validating all of them: for commands that must work when the settings are broken.
import { readEnvFile } from './env-file.ts';
import type { LoadInput } from './load.ts';
import { SETTINGS } from './schema.ts';
import type { SettingName, SettingValues } from './setting-values.ts';
import { givenSettings } from './sources.ts';

/** Reads one setting at a time; a value that is not accepted counts as not given. */
export function peekSettings(
  input: LoadInput,
): <Name extends SettingName>(name: Name) => SettingValues[Name] {
  const given = givenSettings(input.flags, input.environment, readEnvFile(input.envFile, input.cwd));
  return (name) => {
    const { format, default: byDefault } = SETTINGS[name];
    const value = format.parse(given.get(name)?.text ?? byDefault) ?? format.parse(byDefault);
    if (value === undefined) throw new Error(`the default of ${name} is not accepted by its own format`);
    return value;
  };
}
