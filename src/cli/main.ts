#!/usr/bin/env node
// The command line: reads arguments, runs a command, turns what it says into an exit code.
import { Command, CommanderError, Option } from 'commander';
import { BackupError } from '../backup/pipe-commands.ts';
import { KeysChangeError } from '../clients/change-keys.ts';
import { KeysFileError } from '../clients/edit-keys-file.ts';
import { settingFlags } from '../config/load.ts';
import { effectiveTable } from '../config/print.ts';
import { ConfigError, EXIT_CONFIG, messageOf } from '../errors.ts';
import { ListenError } from '../supervisor/listen-check.ts';
import { VERSION } from '../version.ts';
import { addBackupCommands } from './backup-commands.ts';
import { check } from './check.ts';
import { doctor } from './doctor.ts';
import { healthcheck } from './healthcheck.ts';
import { addKeysCommand } from './keys-command.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';
import { addReportCommand } from './report.ts';
import { addServiceCommands, controlExitCode } from './service-commands.ts';
import { start } from './start.ts';

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

try {
  process.exitCode = await run(process.argv);
} catch (cause) {
  // Not only exitCode: workers that were forked before the fault would keep the process alive.
  process.exit(explain(cause));
}

async function run(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('flow-proxy')
    .description(
      'Credential-pooling gateway in front of Flow LLM Proxy. Without a command it serves in the foreground.',
    )
    .version(VERSION)
    .exitOverride()
    .enablePositionalOptions();
  withSettings(program).action(async () => {
    exitCode = await start(commandLineOf(program.opts()));
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
  addServiceCommands(program, withSettings, ofCommand, onExitCode);
  addReportCommand(program, withSettings, ofCommand, onExitCode);
  addOperatorCommands(program, withSettings, ofCommand, onExitCode);
  addBackupCommands(program);
  await program.parseAsync([...argv]);
  return exitCode;
}

function withSettings(command: Command): Command {
  command.allowExcessArguments(false);
  command.addOption(
    new Option('--env-file <FILE>', 'read FLOW_PROXY_* variables from here (default: .env if present)'),
  );
  for (const { flag, placeholder, doc, variable, default: preset } of settingFlags()) {
    const shown = preset === '' ? variable : `${variable}, default ${preset}`;
    command.addOption(new Option(`${flag} <${placeholder}>`, `${doc} (${shown})`));
  }
  return command;
}

function commandLineOf(options: Record<string, unknown>): CommandLine {
  const flags: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) if (typeof value === 'string') flags[name] = value;
  return { flags, envFile: flags['envFile'] };
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
