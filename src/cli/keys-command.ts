// `flow-proxy keys add|list|revoke|rotate` as commander sees it. What they do is keys.ts's.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import {
  isKeyName,
  isModelPattern,
  type KeyLimits,
  MOST_CONCURRENT,
  MOST_PER_MINUTE,
  NAME_RULE,
} from '../clients/keys-file.ts';
import { addClientKey, listClientKeys, revokeClientKey, rotateClientKey } from './keys.ts';
import type { CommandLine } from './prepare.ts';

type Options = Record<string, unknown>;

/** Limits as the flags of `add` leave them: absent where none was given. */
interface AddOptions {
  readonly rpm?: number;
  readonly concurrent?: number;
  readonly models?: readonly string[];
}

/** Adds the command and its four. */
export function addKeysCommand(program: Command, commandLineOf: (options: Options) => CommandLine): void {
  const keys = program.command('keys').description('make, list, take away and replace client keys');
  const lineOf = (command: Command): CommandLine => commandLineOf({ ...program.opts(), ...command.opts() });

  const adding = withFile(keys.command('add').description('make a key and print it, once'))
    .addArgument(new Argument('<NAME>').argParser(nameOrRefuse))
    .option('--rpm <number>', 'most requests per minute (default: any)', upTo(MOST_PER_MINUTE))
    .option('--concurrent <number>', 'most requests at a time (default: any)', upTo(MOST_CONCURRENT))
    .option(
      '--models <list>',
      'patterns of the models it may use, such as "gpt-4o*,o3-mini" (default: any)',
      patternsOrRefuse,
    );
  adding.action((name: string, options: AddOptions) => addClientKey(lineOf(adding), name, limitsOf(options)));

  const listing = withFile(keys.command('list').description('print names and limits, never a key'));
  listing.option('--json', 'as JSON');
  listing.action(({ json }: { json?: boolean }) => listClientKeys(lineOf(listing), json === true));

  const revoking = withFile(keys.command('revoke <NAME>').description('make a key invalid'));
  revoking.action((name: string) => revokeClientKey(lineOf(revoking), name));

  const rotating = withFile(
    keys.command('rotate <NAME>').description('make a new key in the place of an old one'),
  );
  rotating.action((name: string) => rotateClientKey(lineOf(rotating), name));
}

function limitsOf({ rpm, concurrent, models }: AddOptions): KeyLimits {
  return { requestsPerMinute: rpm ?? null, concurrent: concurrent ?? null, models: models ?? null };
}

function nameOrRefuse(text: string): string {
  if (isKeyName(text)) return text;
  throw new InvalidArgumentError(`Take ${NAME_RULE}.`);
}

function upTo(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${most}.`);
  };
}

function patternsOrRefuse(text: string): readonly string[] {
  const patterns = text.split(',').map((pattern) => pattern.trim());
  if (patterns.every(isModelPattern)) return patterns;
  throw new InvalidArgumentError('Expected names separated by commas, each of which may hold *.');
}

function withFile(command: Command): Command {
  return command
    .allowExcessArguments(false)
    .addOption(
      new Option('--client-keys-file <path>', 'file of client keys (default: FLOW_PROXY_CLIENT_KEYS_FILE)'),
    )
    .addOption(
      new Option('--env-file <FILE>', 'read FLOW_PROXY_* variables from here (default: .env if present)'),
    );
}
