// `flow-proxy keys add|list|revoke|rotate` as commander sees it. What they do is keys.ts's.
import { type Command, Option } from 'commander';
import { addClientKey, listClientKeys, revokeClientKey, rotateClientKey } from './keys.ts';
import type { CommandLine } from './prepare.ts';

type Options = Record<string, unknown>;

/** Adds the command and its four. */
export function addKeysCommand(program: Command, commandLineOf: (options: Options) => CommandLine): void {
  const keys = program.command('keys').description('make, list, take away and replace client keys');
  const lineOf = (command: Command): CommandLine => commandLineOf({ ...program.opts(), ...command.opts() });

  const adding = withFile(keys.command('add <NAME>').description('make a key and print it, once'))
    .option('--rpm <number>', 'most requests per minute (default: any)')
    .option('--concurrent <number>', 'most requests at a time (default: any)')
    .option('--models <list>', 'patterns of the models it may use, such as "gpt-4o*,o3-mini" (default: any)');
  adding.action((name: string, { rpm, concurrent, models }: Record<string, string | undefined>) =>
    addClientKey(lineOf(adding), name, { rpm, concurrent, models }),
  );

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
