// The settings as options of a command, listed under the headings that .env.example has, too.
import { type Command, Option } from 'commander';
import { type SettingFlag, settingFlags } from '../config/load.ts';
import type { SettingName } from '../config/setting-values.ts';
import type { CommandLine } from './prepare.ts';

/** What the commands that speak to a running service look at; the others are accepted, so that one line serves all. */
const TO_FIND_A_SERVICE: readonly SettingName[] = ['port', 'controlSocket'];

/** Gives a command all settings. */
export function withSettings(command: Command): Command {
  return addSettings(command, () => true);
}

/** Gives a command all settings, and lists those by which a running service is found. */
export function withServiceSettings(command: Command): Command {
  return addSettings(command, ({ name }) => TO_FIND_A_SERVICE.includes(name));
}

/** The settings among the options that were given. */
export function commandLineOf(options: Record<string, unknown>): CommandLine {
  const flags: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) if (typeof value === 'string') flags[name] = value;
  return { flags, envFile: flags['envFile'] };
}

function addSettings(command: Command, isListed: (setting: SettingFlag) => boolean): Command {
  command.allowExcessArguments(false);
  command.addOption(
    new Option('--env-file <FILE>', 'read FLOW_PROXY_* variables from here (default: .env if present)'),
  );
  for (const setting of settingFlags()) {
    const { flag, placeholder, doc, variable, default: preset, section } = setting;
    const shown = preset === '' ? variable : `${variable}, default ${preset}`;
    const option = new Option(`${flag} <${placeholder}>`, `${doc} (${shown})`);
    command.addOption(option.helpGroup(`Settings, ${section}:`).hideHelp(!isListed(setting)));
  }
  return command;
}
