// `flow-proxy report [FILE…]`: what log files say about the service.
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError, messageOf } from '../errors.ts';
import { installedFile } from '../installed-files.ts';
import { countLogs } from '../report/count.ts';
import { reportText } from '../report/print.ts';
import { ProgressBar } from '../report/progress.ts';
import { parseSince, SINCE_ACCEPTS } from '../report/since.ts';
import { summarise } from '../report/summary.ts';
import { logFiles } from './log-files.ts';
import { type CommandLine, prepareSettings } from './prepare.ts';

const SCAN_FILE = installedFile('dist/workers/scan-log.js');
const STDIN = '-';
/** Each holds one part of a file; more of them than disks can feed bring nothing. */
const MOST_THREADS = 8;

interface Options {
  readonly since?: string;
  readonly json?: boolean;
}

/** Adds the command; its exit code is 1 when a file could not be read. */
export function addReportCommand(
  program: Command,
  withSettings: (command: Command) => Command,
  commandLineOf: (command: Command) => CommandLine,
  onExitCode: (exitCode: number) => void,
): void {
  const command = withSettings(program.command('report').exitOverride())
    .description(
      'what log files say: success and error rate, usage of credentials, slowest, tokens, failures',
    )
    .argument(
      '[FILE...]',
      'log files, plain or gzipped, - for standard input (default: those of the settings, rotated ones too)',
    )
    .addOption(
      new Option('--since <TIME>', `only lines since then: ${SINCE_ACCEPTS}`).argParser(sinceOrRefuse),
    )
    .option('--json', 'as JSON');
  command.action(async (named: string[], { since = '', json }: Options) => {
    const files = named.length > 0 ? named : filesOfSettings(commandLineOf(command), since);
    const bar = new ProgressBar(process.stderr);
    const count = await countLogs({
      files: files.filter((file) => file !== STDIN),
      input: files.includes(STDIN) ? process.stdin : null,
      since,
      taskFile: SCAN_FILE,
      threads: Math.min(availableParallelism(), MOST_THREADS),
      onProgress: (share) => bar.show(share),
    });
    bar.clear();
    const report = summarise(count);
    process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
    for (const problem of report.problems) console.error(`flow-proxy: not read to its end: ${problem}`);
    onExitCode(report.problems.length === 0 ? 0 : 1);
  });
}

function sinceOrRefuse(text: string): string {
  const since = parseSince(text, Date.now());
  if (since === undefined) throw new InvalidArgumentError(`Expected ${SINCE_ACCEPTS}.`);
  return since;
}

/** @throws ConfigError when the settings name no log that is in files, or it cannot be looked at */
function filesOfSettings(commandLine: CommandLine, since: string): string[] {
  const { log } = prepareSettings(commandLine).settings;
  if (log.rotation === 'none') {
    throw new ConfigError('report', [
      'neither FLOW_PROXY_LOG_FILE nor FLOW_PROXY_LOG_DIR is set: name the files, as in flow-proxy report app.log, or - for standard input',
    ]);
  }
  try {
    return logFiles(log, since === '' ? 0 : Date.parse(since));
  } catch (cause) {
    throw new ConfigError('report', [`the log files of ${log.file} cannot be found: ${messageOf(cause)}`]);
  }
}
