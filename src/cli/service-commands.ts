// `flow-proxy status|reload|reopen|drain|stop`: they speak to the running service by its control socket.
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { peekSettings } from '../config/peek.ts';
import { askService, ControlError, NotRunningError } from '../control/client.ts';
import { foreignSockets, openUnixSockets } from '../control/foreign-sockets.ts';
import { isVerbReply, type VerbReply } from '../control/reply.ts';
import { pathsToAsk, type SocketPlace } from '../control/socket-path.ts';
import { codeOf } from '../errors.ts';
import { type CommandLine, loadInput } from './prepare.ts';
import { statusText } from './status-text.ts';

/** What the exit code of these commands tells. */
export const EXIT = { done: 0, refused: 1, notRunning: 3 } as const;

interface Options {
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** How long a primary that has said goodbye may take to be gone. */
const LEAVE_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * Adds the commands.
 * @param withSettings gives a command the flags of all settings, of which the socket and the port count
 */
export function addServiceCommands(
  program: Command,
  withSettings: (command: Command) => Command,
  commandLineOf: (command: Command) => CommandLine,
  onExitCode: (exitCode: number) => void,
): void {
  const add = (name: string, description: string): Command =>
    withSettings(program.command(name).description(description).exitOverride());
  const ask = (command: Command, verb: string, argument: Options): Promise<unknown> =>
    askRunning(commandLineOf(command), verb, { ...argument });
  const jsonToo = (command: Command): Command => command.option('--json', 'the outcome as JSON');

  const status = add('status', 'what the running service is doing').option('--json', 'as JSON');
  status.action(async ({ json }: Options) => {
    const report = await ask(status, 'status', {});
    process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : statusText(report));
  });
  const reload = add('reload', 'take over settings, secrets and code as they are now (SIGHUP)').option(
    '--wait',
    'until it is done; exit 1 when it is refused or fails',
  );
  jsonToo(reload).action(async ({ wait, json }: Options) => {
    onExitCode(tell(await ask(reload, 'reload', { wait: wait === true }), json));
  });
  const reopen = add('reopen', 'go on with a new log file (SIGUSR2)');
  jsonToo(reopen).action(async ({ json }: Options) =>
    onExitCode(tell(await ask(reopen, 'reopen', {}), json)),
  );
  const drain = add('drain', 'take no new connections and finish what is in flight (SIGWINCH)');
  jsonToo(drain).action(async ({ json }: Options) => onExitCode(tell(await ask(drain, 'drain', {}), json)));
  const stop = add('stop', 'finish what is in flight, then end (SIGTERM)').option(
    '--wait',
    'until it has ended',
  );
  jsonToo(stop).action(async ({ wait, json }: Options) => {
    const reply = await ask(stop, 'stop', { wait: wait === true });
    if (wait === true && isVerbReply(reply)) await untilGone(reply.pid);
    onExitCode(tell(reply, json));
  });
}

/** The exit code for what went wrong with the socket; undefined when it is something else. */
export function controlExitCode(cause: unknown): number | undefined {
  if (cause instanceof NotRunningError) return EXIT.notRunning;
  return cause instanceof ControlError ? EXIT.refused : undefined;
}

/**
 * Asks the running service.
 * @throws NotRunningError, ControlError
 */
export async function askRunning(
  commandLine: CommandLine,
  verb: string,
  argument: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const place = placeOf(commandLine);
  try {
    return await askService(pathsToAsk(place), verb, argument);
  } catch (cause) {
    const others = cause instanceof NotRunningError ? foreignSockets(place, openUnixSockets()) : [];
    if (others.length === 0) throw cause;
    throw new ControlError(
      `nothing of this user is running; the service at ${others.join(' and ')} belongs to another one: run this as that user`,
      { cause },
    );
  }
}

/** Where a running service of this user, or the system's, has its socket. */
export function socketsOf(commandLine: CommandLine): string[] {
  return pathsToAsk(placeOf(commandLine));
}

function placeOf(commandLine: CommandLine): SocketPlace {
  const input = loadInput(commandLine);
  const setting = peekSettings(input);
  return {
    asked: setting('controlSocket'),
    cwd: input.cwd,
    port: setting('port'),
    environment: process.env,
    temporaryFolder: tmpdir(),
    uid: process.getuid?.() ?? 0,
  };
}

/** Says what came of it. @returns the exit code */
export function tell(reply: unknown, asJson = false): number {
  if (!isVerbReply(reply)) throw new ControlError(`the service does not know this: ${JSON.stringify(reply)}`);
  const isDone = reply.outcome === 'done';
  if (asJson) console.log(JSON.stringify(reply, null, 2));
  else (isDone ? console.log : console.error)(sentences(reply));
  return isDone ? EXIT.done : EXIT.refused;
}

function sentences({ message, reasons }: VerbReply): string {
  return [`flow-proxy: ${message}`, ...reasons.map((reason) => `  - ${reason}`)].join('\n');
}

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + LEAVE_MS;
  while (isRunning(pid) && performance.now() < deadline) await pause(LOOK_EVERY_MS);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
}
