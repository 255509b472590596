// The settings as text: for the README, for .env.example and for `flow-proxy config`.
import type { EffectiveSetting } from './effective.ts';
import { flagOf, SETTING_NAMES, SETTINGS, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';

/** The README's table of all settings, in Markdown. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { default: byDefault, doc, format } = SETTINGS[name];
    const shown = byDefault === '' ? 'not set' : `\`${byDefault}\``;
    return `| \`${variableOf(name)}\` | \`${flagOf(name)}\` | ${shown} | ${doc} Accepts ${format.accepts}. |`;
  });
  return ['| Variable | Flag | Default | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** The whole text of `.env.example`: every setting, commented out with its default. */
export function envExample(): string {
  const head = [
    '# Settings of flow-proxy. Copy to .env and take out the # before those you change.',
    '# Flags win over environment variables, these over this file, and this file over the defaults shown.',
    '',
  ];
  return [...head, ...SETTING_NAMES.flatMap(exampleOf)].join('\n');
}

/** What is in effect and where each value came from, in aligned columns. */
export function effectiveTable(effective: readonly EffectiveSetting[]): string {
  const rows = effective.map(({ variable, value, source }) => [variable, value || '(not set)', source]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return `${lines.join('\n')}\n`;
}

function exampleOf(name: SettingName, index: number): string[] {
  const { default: byDefault, doc, format, section } = SETTINGS[name];
  const before = SETTING_NAMES[index - 1];
  const isFirstOfSection = before === undefined || SETTINGS[before].section !== section;
  return [
    ...(isFirstOfSection ? [`## ${section}`, ''] : []),
    `# ${doc}`,
    `# Accepts ${format.accepts}.`,
    `# ${variableOf(name)}=${byDefault}`,
    '',
  ];
}
