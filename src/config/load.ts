// Loads the settings whole, or refuses them with every problem there is; reads only what it is handed
// and the .env file. The files that settings name are read by whoever uses them.
import { ConfigError } from '../errors.ts';
import { type CheckedSettings, checkSettings } from './check.ts';
import { type EffectiveSetting, effectiveSettings } from './effective.ts';
import { type EnvFile, readEnvFile } from './env-file.ts';
import { type FoundVariable, findOutboundProxy, parseProxyUrl, type Variables } from './outbound-proxy.ts';
import {
  adminPortProblems,
  logWarnings,
  proxyProblems,
  refusedSettings,
  rollSizeProblems,
  tlsProblems,
} from './problems.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type Section, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';
import { type ReadSetting, resolveSettings, type Settings } from './settings.ts';
import { givenSettings } from './sources.ts';
import { ignoredLines, unknownVariables } from './unknown-variables.ts';

/** What settings are loaded from. */
export interface LoadInput {
  /** Flags that were given, by setting name. */
  readonly flags: Variables;
  readonly environment: Variables;
  /** A .env file that must exist; undefined means `.env` in `cwd`, if there is one. */
  readonly envFile: string | undefined;
  readonly cwd: string;
}

/** Valid settings, how they came about, and what an operator should hear about them. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly effective: readonly EffectiveSetting[];
  readonly warnings: readonly string[];
}

/** A setting as an option of the command line. */
export interface SettingFlag {
  readonly name: SettingName;
  readonly flag: string;
  readonly placeholder: string;
  readonly variable: string;
  readonly default: string;
  readonly doc: string;
  readonly section: Section;
}

/**
 * Loads the settings: flag over environment over .env file over default.
 * @throws {ConfigError} with all problems, each naming the place, the value and what is accepted
 */
export function loadSettings(input: LoadInput): LoadedSettings {
  const envFile = readEnvFile(input.envFile, input.cwd);
  const given = givenSettings(input.flags, input.environment, envFile);
  const checked = checkSettings(given);
  const proxy = usualProxy(checked, [input.environment, envFile.variables]);
  const problems = [
    ...(envFile.problem === undefined ? [] : [envFile.problem]),
    ...refusedSettings(checked, given),
    ...rollSizeProblems(checked, given),
    ...tlsProblems(given),
    ...adminPortProblems(checked, given),
    ...proxyProblems(proxy),
  ];
  const warnings = [...variableWarnings(input.environment, envFile), ...logWarnings(given)];
  if (problems.length > 0) throw new ConfigError('settings', problems, warnings);

  const read = reader(checked);
  const settings = resolveSettings(read, input.cwd, outboundProxyUrl(read('upstreamProxy'), proxy));
  return {
    settings,
    effective: effectiveSettings(settings, given, proxy?.variable),
    warnings,
  };
}

/** Every setting as a flag, in the order of the schema. */
export function settingFlags(): readonly SettingFlag[] {
  return SETTING_NAMES.map((name) => {
    const { default: byDefault, doc, format, section } = SETTINGS[name];
    const { placeholder } = format;
    const variable = variableOf(name);
    return { name, flag: flagOf(name), placeholder, variable, default: byDefault, doc, section };
  });
}

/** The proxy that the usual variables name for the target, unless our own setting decides. */
function usualProxy(checked: CheckedSettings, sources: readonly Variables[]): FoundVariable | null {
  const target = SETTINGS.targetUrl.format.parse(checked.textOf('targetUrl'));
  if (target === undefined || checked.textOf('upstreamProxy') !== '') return null;
  return findOutboundProxy(target, sources);
}

function outboundProxyUrl(asked: string, usual: FoundVariable | null): string | null {
  if (asked !== '') return asked === 'none' ? null : asked;
  return usual === null ? null : (parseProxyUrl(usual.text) ?? null);
}

/** Reads typed values; a text that was refused has been thrown before anybody asks for it. */
function reader({ textOf }: CheckedSettings): ReadSetting {
  return (name) => {
    const value = SETTINGS[name].format.parse(textOf(name));
    if (value === undefined) throw new ConfigError('settings', [`${variableOf(name)} is not accepted`]);
    return value;
  };
}

function variableWarnings(environment: Variables, envFile: EnvFile): string[] {
  return [
    ...unknownVariables(environment, () => ''),
    ...unknownVariables(envFile.variables, (variable) => ` (${envFile.placeOf(variable)})`),
    ...ignoredLines(envFile.ignored),
  ];
}
