// The one place that knows convict: it fills in the defaults and checks every text against the schema.
// It is given an environment to look at and never reads the process's own.
import convict from 'convict';
import { messageOf } from '../errors.ts';
import { isSettingName, SETTING_NAMES, SETTINGS, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';
import type { GivenSettings } from './sources.ts';

/** Every setting's text, and those that were refused. */
export interface CheckedSettings {
  /** The text given, or else the default. */
  textOf(name: SettingName): string;
  /** The settings whose text is not accepted, with what would be. */
  readonly refused: ReadonlyMap<SettingName, string>;
}

type Config = convict.Config<Record<string, string>>;

/** Checks all settings that were given; the others have their defaults. */
export function checkSettings(given: GivenSettings): CheckedSettings {
  const env: Record<string, string> = {};
  for (const [name, { text }] of given) env[variableOf(name)] = text;
  const config = convict<Record<string, string>>(convictSchema(), { env, args: [] });
  return { textOf: (name) => config.get(name), refused: refusals(config) };
}

function convictSchema(): convict.Schema<Record<string, string>> {
  const schema: Record<string, convict.SchemaObj<string>> = {};
  for (const name of SETTING_NAMES) {
    const { default: byDefault, doc, format, section } = SETTINGS[name];
    const check = (text: string): void => {
      if (format.parse(text) === undefined) throw new Error(format.accepts);
    };
    // Sensitive, so that convict's own message never quotes a value: ours does, redacted.
    schema[name] = {
      default: byDefault,
      doc,
      section,
      env: variableOf(name),
      format: check,
      sensitive: true,
    };
  }
  return schema;
}

/** Convict reports all refusals at once, but only as text: a line `name: message` for each. */
function refusals(config: Config): Map<SettingName, string> {
  const refused = new Map<SettingName, string>();
  try {
    config.validate({ allowed: 'strict' });
  } catch (cause) {
    for (const line of messageOf(cause).split('\n')) {
      const [, name = '', accepts = ''] = /^(\w+): (.*)$/.exec(line) ?? [];
      if (!isSettingName(name)) throw cause;
      refused.set(name, accepts);
    }
  }
  return refused;
}
