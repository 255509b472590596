// The commands with their options as plain data, read from the commander program: what completion and manual are made
// of, so that neither can say anything else than the program does.
import type { Argument, Command, Option } from 'commander';

export interface CommandNode {
  /** Empty for the program itself; `keys add` is two words. */
  readonly path: readonly string[];
  readonly description: string;
  /** As in `keys add [options] <NAME>`, without the program's name. */
  readonly usage: string;
  readonly options: readonly OptionEntry[];
  readonly arguments: readonly Value[];
  readonly children: readonly CommandNode[];
}

export interface OptionEntry {
  /** With its dashes, the long one last. */
  readonly flags: readonly string[];
  readonly description: string;
  /** null when it takes none. */
  readonly value: Value | null;
  /** Under which it is listed; undefined for the command's own. */
  readonly group: string | undefined;
}

/** What may be written in a place; `words` is empty when anything may. */
export interface Value {
  readonly placeholder: string;
  readonly isFile: boolean;
  readonly words: readonly string[];
}

const FILE_PLACEHOLDERS = ['path', 'FILE', 'FOLDER'];
/** Stand for something else than themselves. */
const NO_WORDS = [
  ...FILE_PLACEHOLDERS,
  'number',
  'seconds',
  'url',
  'list',
  'MB',
  'address',
  'address:port',
  '*',
];

export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  return {
    path,
    description: command.description(),
    usage: [...path, command.usage()].join(' '),
    options: help.visibleOptions(command).map(optionEntry),
    arguments: command.registeredArguments.map(argumentValue),
    children: help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .map((child) => commandTree(child, [...path, child.name()])),
  };
}

/** A node and everything below it. */
export function allNodes(node: CommandNode): CommandNode[] {
  return [node, ...node.children.flatMap(allNodes)];
}

function optionEntry({ short, long, description, flags, helpGroupHeading }: Option): OptionEntry {
  const placeholder = /<([^>]+)>/.exec(flags)?.[1];
  return {
    flags: [short, long].filter((flag) => flag !== undefined && flag !== null),
    description,
    value: placeholder === undefined ? null : placeValue(placeholder, undefined),
    group: helpGroupHeading,
  };
}

function argumentValue(argument: Argument): Value {
  return placeValue(argument.name(), argument.argChoices);
}

/** A placeholder such as `on|off` lists what there is; `number|auto` begins with what is no word to be written. */
function placeValue(placeholder: string, choices: readonly string[] | undefined): Value {
  const parts = placeholder.split('|');
  const listed = parts.filter((part) => !NO_WORDS.includes(part));
  const words = choices ?? (parts.length > 1 ? listed : []);
  return { placeholder, isFile: parts.some((part) => FILE_PLACEHOLDERS.includes(part)), words };
}
