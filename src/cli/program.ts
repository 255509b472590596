// The command line: reads arguments, runs a command, turns what it says into an exit code.
import { Argument, Command, CommanderError } from 'commander';
import { BackupError } from '../backup/pipe-commands.ts';
import { KeysChangeError } from '../clients/change-keys.ts';
import { KeysFileError } from '../clients/edit-keys-file.ts';
import { nearestName } from '../config/nearest-name.ts';
import { effectiveTable } from '../config/print.ts';
import { ConfigError, EXIT_CONFIG, messageOf } from '../errors.ts';
import { ListenError } from '../supervisor/listen-check.ts';
import { VERSION } from '../version.ts';
import { addBackupCommands } from './backup-commands.ts';
import { check } from './check.ts';
import { commandTree } from './command-tree.ts';
import { completionScript, SHELLS } from './completion.ts';
import { doctor } from './doctor.ts';
import type { EarlySignals } from './early-signals.ts';
import { healthcheck } from './healthcheck.ts';
import { addKeysCommand } from './keys-command.ts';
import { manPage } from './man-page.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';
import { addReportCommand } from './report.ts';
import { addServiceCommands, controlExitCode } from './service-commands.ts';
import { commandLineOf, withServiceSettings, withSettings } from './setting-options.ts';

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;
const EXIT_CODES = [
  [0, 'done; for the service itself: it ended in order'],
  [1, 'refused, failed, or something that was looked at is not right'],
  [3, 'no service is running there'],
  [EXIT_USAGE, 'the command line is wrong'],
  [EXIT_CONFIG, 'settings, secrets or files they name cannot be used'],
] as const;
const HELP_END = `
Exit codes:
${EXIT_CODES.map(([code, meaning]) => `  ${String(code).padEnd(4)}${meaning}`).join('\n')}

Each command has more to say: flow-proxy COMMAND --help
`;

/** Does what the arguments say, and sets the exit code of the process. */
export async function runProgram(argv: readonly string[], early: EarlySignals): Promise<void> {
  try {
    process.exitCode = await run(argv, early);
  } catch (cause) {
    // Not only exitCode: workers that were forked before the fault would keep the process alive.
    process.exit(explain(cause));
  }
}

async function run(argv: readonly string[], early: EarlySignals): Promise<number> {
  let exitCode = 0;
  const program = new Command('flow-proxy')
    .description(
      'Credential-pooling gateway in front of Flow LLM Proxy. Without a command it serves in the foreground.',
    )
    .version(VERSION)
    .exitOverride()
    .enablePositionalOptions()
    .hook('preAction', async (_program, command) => {
      if (command !== program) await early.drop();
    });
  // What is too much here is a misspelt command, and is told so.
  withSettings(program)
    .allowExcessArguments(true)
    .action(async () => {
      refuseUnknownCommand(program);
      // No other command needs the service's modules, which take twice as long to load as all else.
      const { start } = await import('./start.ts');
      exitCode = await start(commandLineOf(program.opts()), early);
    });
  const checking = program
    .command('check')
    .description('validate settings and secrets, then exit (78 if unusable)');
  withSettings(checking.exitOverride()).action(() =>
    check(commandLineOf({ ...program.opts(), ...checking.opts() })),
  );
  const printing = program
    .command('config')
    .description('print every setting, its value and where it comes from');
  withSettings(printing.exitOverride()).action(() => {
    const { effective, warnings } = prepareSettings(commandLineOf({ ...program.opts(), ...printing.opts() }));
    for (const warning of warnings) console.error(`warning: ${warning}`);
    process.stdout.write(effectiveTable(effective));
  });
  const asking = program
    .command('healthcheck')
    .description('ask the service of these settings whether it is alive: exit 0 if it says so, else 1')
    .option('--ready', 'ask whether it can serve requests now');
  withSettings(asking.exitOverride()).action(async ({ ready }: { ready?: boolean }) => {
    const line = commandLineOf({ ...program.opts(), ...asking.opts() });
    exitCode = await healthcheck(line, ready === true ? 'ready' : 'alive');
  });
  const examining = program
    .command('doctor')
    .description('look at everything flow-proxy needs and say what to mend: exit 1 if anything fails')
    .option('--live', 'try each credential once against the upstream (GET /v1/models)')
    .option('--json', 'as JSON');
  withSettings(examining.exitOverride()).action(async (options: { live?: boolean; json?: boolean }) => {
    const line = commandLineOf({ ...program.opts(), ...examining.opts() });
    exitCode = await doctor(line, { isLive: options.live === true, asJson: options.json === true });
  });
  addKeysCommand(program, commandLineOf);
  const ofCommand = (command: Command): CommandLine =>
    commandLineOf({ ...program.opts(), ...command.opts() });
  const onExitCode = (code: number): void => {
    exitCode = code;
  };
  addServiceCommands(program, withServiceSettings, ofCommand, onExitCode);
  addReportCommand(program, withSettings, ofCommand, onExitCode);
  addOperatorCommands(program, withServiceSettings, ofCommand, onExitCode);
  addBackupCommands(program);
  addTextCommands(program);
  program.addHelpText('after', HELP_END);
  await program.parseAsync([...argv]);
  return exitCode;
}

function refuseUnknownCommand(program: Command): void {
  const [name] = program.args;
  if (name === undefined) return;
  const guess = nearestName(
    name,
    program.commands.map((command) => command.name()),
  );
  const hint = guess === undefined ? 'flow-proxy --help lists them' : `did you mean ${guess}?`;
  program.error(`error: unknown command '${name}'; ${hint}`);
}

/** What shells and manuals are told, from the program itself. */
function addTextCommands(program: Command): void {
  program
    .command('completion')
    .description('print a completion script: source <(flow-proxy completion bash)')
    .addArgument(new Argument('<SHELL>', 'the shell it is for').choices(SHELLS))
    .exitOverride()
    .action((shell: string) => {
      const known = SHELLS.find((name) => name === shell);
      if (known !== undefined) process.stdout.write(completionScript(commandTree(program), known));
    });
  program
    .command('man')
    .description('print the manual page: flow-proxy man | man -l -')
    .exitOverride()
    .action(() => {
      process.stdout.write(manPage(commandTree(program), { version: VERSION, exitCodes: EXIT_CODES }));
    });
}

/** Says what went wrong on standard error. */
function explain(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : EXIT_USAGE;
  if (cause instanceof ConfigError) {
    for (const warning of cause.warnings) console.error(`warning: ${warning}`);
    console.error('flow-proxy: the configuration cannot be used:');
    for (const problem of cause.problems) console.error(`  - ${problem}`);
    return EXIT_CONFIG;
  }
  const controlCode = controlExitCode(cause);
  const isExpected =
    controlCode !== undefined ||
    [ListenError, KeysChangeError, KeysFileError, BackupError].some((kind) => cause instanceof kind) ||
    !(cause instanceof Error);
  console.error(`flow-proxy: ${isExpected ? messageOf(cause) : (cause.stack ?? cause.message)}`);
  return controlCode ?? 1;
}
