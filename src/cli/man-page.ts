// `flow-proxy man`: the manual page, in the words of the commands themselves. To be read with `flow-proxy man | man -l -`,
// or put into a folder of manuals.
import { allNodes, type CommandNode, type OptionEntry } from './command-tree.ts';

export interface ManualFacts {
  readonly version: string;
  /** Exit codes and their meaning. */
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
}

export function manPage(root: CommandNode, { version, exitCodes }: ManualFacts): string {
  const commands = allNodes(root).filter(({ path, children }) => path.length > 0 && children.length === 0);
  const [own, settings] = [
    root.options.filter(({ group }) => group === undefined),
    root.options.filter(({ group }) => group !== undefined),
  ];
  const lines = [
    `.TH FLOW\\-PROXY 1 "" ${quoted(`flow-proxy ${version}`)}`,
    '.SH NAME',
    'flow\\-proxy \\- credential\\-pooling gateway in front of Flow LLM Proxy',
    '.SH SYNOPSIS',
    '.B flow\\-proxy',
    '[options] [command]',
    '.SH DESCRIPTION',
    text(root.description),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH OPTIONS',
    ...own.flatMap(optionLines),
    '.SH SETTINGS',
    'A flag beats an environment variable, which beats a line of the env file, which beats the default.',
    ...settings.flatMap(optionLines),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, text(meaning)]),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines({ usage, description, options }: CommandNode): string[] {
  const own = options.filter(({ group, flags }) => group === undefined && !flags.includes('--help'));
  const listed = own.length === 0 ? [] : ['.RS', ...own.flatMap(optionLines), '.RE'];
  return ['.TP', `.B ${text(`flow-proxy ${usage}`)}`, text(description), ...listed];
}

function optionLines({ flags, value, description }: OptionEntry): string[] {
  const written = `${flags.join(', ')}${value === null ? '' : ` <${value.placeholder}>`}`;
  return ['.TP', `.B ${text(written)}`, text(description)];
}

/** A line must not begin with a dot or a quote, and a dash is a minus unless it is escaped. */
function text(plain: string): string {
  const escaped = plain.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

function quoted(plain: string): string {
  return `"${text(plain)}"`;
}
