// `flow-proxy top`, `credential enable|disable|reset NAME` and `log-level LEVEL`: for an operator at work, over the
// control socket of a running service.
import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { CommandLine } from './prepare.ts';
import { askRunning, tell } from './service-commands.ts';
import { top } from './top.ts';

const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'];

/**
 * Adds the commands.
 * @param withSettings gives a command the flags of all settings, of which the socket and the port count
 */
export function addOperatorCommands(
  program: Command,
  withSettings: (command: Command) => Command,
  commandLineOf: (command: Command) => CommandLine,
  onExitCode: (exitCode: number) => void,
): void {
  const ask = async (command: Command, verb: string, argument: object): Promise<void> =>
    onExitCode(tell(await askRunning(commandLineOf(command), verb, { ...argument })));

  const credential = program
    .command('credential')
    .description('take a credential out of use, put it back, or forget its cooldowns');
  const change = (verb: string, description: string): Command => {
    const command = credential.command(`${verb} <NAME>`).description(description).exitOverride();
    return withSettings(command).action((name: string, { force }: { force?: boolean }) =>
      ask(command, `credential-${verb}`, { name, force: force === true }),
    );
  };
  change('enable', 'use it again');
  change('disable', 'no new request uses it, until it is enabled or the service restarts').option(
    '--force',
    'even when no other is available, so that every request is refused',
  );
  change('reset', 'forget its cooldowns: it is used again at once');

  const watching = program.command('top').description('watch the running service in the terminal; q quits');
  withSettings(watching.exitOverride()).action(async () => onExitCode(await top(commandLineOf(watching))));

  const level = program
    .command('log-level')
    .description('change what is logged, in every process, until the service restarts')
    .addArgument(
      new Argument('<LEVEL>', 'DEBUG, INFO, WARNING or ERROR')
        // The parser replaces the check that comes with the choices, which then are for completion and the manual.
        .choices(LEVELS)
        .argParser(levelOf),
    );
  withSettings(level.exitOverride()).action((asked: string) => ask(level, 'log-level', { level: asked }));
}

function levelOf(text: string): string {
  const level = text.toUpperCase();
  if (LEVELS.includes(level)) return level;
  throw new InvalidArgumentError(`Allowed choices are ${LEVELS.join(', ')}.`);
}
