// `flow-proxy` without a command: the service in the foreground, until a signal ends it.
import { tmpdir } from 'node:os';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { accessWarning } from '../clients/access.ts';
import { type Configuration, loadConfiguration } from '../configuration.ts';
import { pathsToServe } from '../control/socket-path.ts';
import { ConfigError, messageOf } from '../errors.ts';
import { describeHost } from '../host/description.ts';
import { installedFile } from '../installed-files.ts';
import type { Logger } from '../logging/logger.ts';
import { readCode } from '../supervisor/code.ts';
import { ControlServer, type Verb } from '../supervisor/control-server.ts';
import { assertPortIsFree } from '../supervisor/listen-check.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { serviceVerbs } from '../supervisor/verbs.ts';
import { VERSION } from '../version.ts';
import type { EarlySignals } from './early-signals.ts';
import { installationFolder } from './installation.ts';
import { openAdmin } from './open-admin.ts';
import { openServiceLog } from './open-log.ts';
import { type CommandLine, loadInput, reloadInput } from './prepare.ts';
import { reportToSystemd, socketFromSystemd } from './systemd.ts';

const HOST_FILE = installedFile('dist/workers/host-figures.js');
/** Signals end a process with 128 plus their number, by the convention of shells. */
const CUT_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * @param early signals that came before this could listen to them
 * @returns the exit code
 * @throws ConfigError when the configuration cannot be used
 */
export async function start(commandLine: CommandLine, early: EarlySignals): Promise<number> {
  keepHeapSmall();
  const input = loadInput(commandLine);
  const configuration = loadConfiguration(input, 1);
  const { settings, warnings } = configuration;
  const { sink, log, close } = await openServiceLog(settings.log);
  for (const warning of warnings) log.warning({ msg: warning });
  warnOfClients(configuration, log);
  const passedSocket = socketFromSystemd();
  if (passedSocket === null) await assertPortIsFree(settings.host, settings.port);
  const code = await readCode(installationFolder());
  log.info({ msg: `flow-proxy ${VERSION} starting`, pid: process.pid, node: process.version });
  log.info({ msg: `Host: ${describeHost()}` });
  const atReload = reloadInput(input);
  const supervisor = new Supervisor({
    configuration,
    code,
    load: (generation) => loadConfiguration(atReload, generation),
    hostTaskFile: HOST_FILE,
    readCode: () => readCode(installationFolder()),
    log,
    sink,
    environment: process.env,
    passedSocket,
  });
  const reporter = await reportToSystemd(supervisor, log);
  const { admin, watch } = await openAdmin(configuration, supervisor, log);
  const verbs = { ...serviceVerbs(supervisor), live: () => watch.wholeReport() };
  const control = await openControl(configuration, verbs, log);
  listenToSignals(supervisor, early);
  const { exitCode, reason } = await supervisor.run();
  log.info({ msg: `flow-proxy ended: ${reason}`, exitCode });
  admin.close();
  watch.close();
  await control?.close();
  await close();
  reporter?.stop();
  return exitCode;
}

/**
 * For the primary alone: workers are processes of their own. Log lines go through it, and V8 by itself lets some 20 MB of
 * them gather between two full collections, minutes apart; this has it collect earlier. See "Memory" in
 * docs/performance.md. V8 reads the flag whenever it decides about its heap, so it may be set while that is in use.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
}

/** Without a socket of its own choice the service runs on: only commands such as `flow-proxy status` miss it. */
async function openControl(
  { settings: { controlSocket, port } }: Configuration,
  verbs: Readonly<Record<string, Verb>>,
  log: Logger,
): Promise<ControlServer | undefined> {
  const place = {
    asked: controlSocket,
    cwd: process.cwd(),
    port,
    environment: process.env,
    temporaryFolder: tmpdir(),
    uid: process.getuid?.() ?? 0,
  };
  try {
    const control = await ControlServer.open(pathsToServe(place, process.pid), verbs, log);
    log.debug({ msg: `Control socket: ${control.path}` });
    return control;
  } catch (cause) {
    const problem = `the control socket (FLOW_PROXY_CONTROL_SOCKET) cannot be made: ${messageOf(cause)}`;
    if (controlSocket !== 'auto') throw new ConfigError('settings', [problem]);
    log.warning({ msg: `${problem}; flow-proxy status, reload and the like cannot reach this service` });
    return undefined;
  }
}

/** Who else than this machine may come in. */
function warnOfClients(
  { settings: { host }, generation, clientKeys, tls }: Configuration,
  log: Logger,
): void {
  const listening = { host, isSecure: tls !== null };
  const warning = accessWarning(listening, generation.clients, clientKeys.length);
  if (warning !== undefined) log.warning({ msg: warning });
}

function listenToSignals(supervisor: Supervisor, early: EarlySignals): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => supervisor.stop(signal, CUT_EXIT_CODES[signal]));
  }
  early.passTo({
    SIGHUP: () => void supervisor.reload('SIGHUP'),
    SIGUSR2: () => void supervisor.reopenLog('SIGUSR2'),
  });
  // A terminal sends it whenever its window is resized.
  if (![0, 1, 2].some(isatty)) process.on('SIGWINCH', () => supervisor.drain('SIGWINCH'));
}
