// `flow-proxy` without a command: the service in the foreground, until a signal ends it.
import { fileURLToPath } from 'node:url';
import { accessWarning } from '../clients/access.ts';
import { messageOf } from '../errors.ts';
import type { LogSink } from '../logging/log-sink.ts';
import type { Logger } from '../logging/logger.ts';
import { countWorkers } from '../supervisor/cpu-count.ts';
import { assertPortIsFree } from '../supervisor/listen-check.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { Threads } from '../threads.ts';
import { VERSION } from '../version.ts';
import { openServiceLog } from './open-log.ts';
import { type CommandLine, type Prepared, prepare } from './prepare.ts';

const HOST_FILE = fileURLToPath(new URL('../../workers/host-figures.js', import.meta.url));
const WORKER_FILE = fileURLToPath(new URL('../../workers/proxy-worker.js', import.meta.url));
/** Signals end a process with 128 plus their number, by the convention of shells. */
const CUT_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * @returns the exit code
 * @throws ConfigError when the configuration cannot be used
 */
export async function start(commandLine: CommandLine): Promise<number> {
  const prepared = prepare(commandLine);
  const { settings, generation, credentials, clientKeys, tls, warnings } = prepared;
  const { sink, log, close } = await openServiceLog(settings.log);
  for (const warning of warnings) log.warning({ msg: warning });
  warnOfClients(prepared, log);
  await assertPortIsFree(settings.host, settings.port);
  const numWorkers = settings.numWorkers === 'auto' ? countWorkers() : settings.numWorkers;
  log.info({ msg: `flow-proxy ${VERSION} starting`, pid: process.pid, node: process.version });
  const supervisor = new Supervisor({
    generation,
    credentials,
    clientKeys: { file: settings.clients.keysFile, entries: clientKeys },
    tls: tls === null || settings.clients.tls === null ? null : { files: settings.clients.tls, pair: tls },
    numWorkers,
    workerFile: WORKER_FILE,
    log,
    sink,
    environment: process.env,
    onReady: () => void logHost(log),
  });
  listenToSignals(supervisor, sink, log);
  const { exitCode, reason } = await supervisor.run();
  log.info({ msg: `flow-proxy ended: ${reason}`, exitCode });
  await close();
  return exitCode;
}

/** One line about the machine, for whoever reads the log later; found out in a thread once the workers serve. */
async function logHost(log: Logger): Promise<void> {
  const threads = new Threads(HOST_FILE, 0);
  const description = await threads.run('describeHost', null).catch(messageOf);
  log.info({ msg: `Host: ${String(description)}` });
  await threads.close();
}

/** Who else than this machine may come in. */
function warnOfClients({ settings: { host }, generation, clientKeys, tls }: Prepared, log: Logger): void {
  const listening = { host, isSecure: tls !== null };
  const warning = accessWarning(listening, generation.clients, clientKeys.length);
  if (warning !== undefined) log.warning({ msg: warning });
}

function listenToSignals(supervisor: Supervisor, sink: LogSink, log: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => supervisor.stop(signal, CUT_EXIT_CODES[signal]));
  }
  for (const signal of ['SIGHUP', 'SIGUSR2'] as const) {
    process.on(signal, () => {
      void reopenLog(signal, sink, log);
      if (signal === 'SIGHUP') supervisor.rereadClients();
    });
  }
}

/** One line tells the outcome, in the file that is in use then. */
async function reopenLog(reason: string, sink: LogSink, log: Logger): Promise<void> {
  const failure = await sink.reopen();
  if (failure === undefined) log.info({ msg: `${reason}: log reopened` });
  else log.error({ msg: `${reason}: the log could not be reopened: ${failure.message}` });
}
