// Child processes of a bench, each pinned to the processor it is meant to have, and ended with the bench.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCommand } from './commands.ts';

/** Which processors: those of the subject, or those of everything that loads it and stands behind it. */
export type Place = 'subject' | 'load' | 'anywhere';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly place: Place;
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A process that runs until it is stopped. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const STOP_MS = 5_000;
const OPEN_MS = 15_000;

/** Whether subject and load can have processors of their own. */
export const CAN_PIN: boolean = cpus().length >= 2 && hasCommand('taskset');

/** The command line that runs a command in its place. */
export function pinned(place: Place, command: string, args: readonly string[]): [string, string[]] {
  if (!CAN_PIN) return [command, [...args]];
  return ['taskset', ['-c', processorsOf(place), command, ...args]];
}

/** In the words of taskset. */
export function processorsOf(place: Place): string {
  const last = cpus().length - 1;
  if (place === 'subject') return '0';
  return place === 'load' ? `1-${last}` : `0-${last}`;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process and waits until its port takes connections. Its output goes to a file in its folder. */
export async function startProcess(spec: ProcessSpec, port: number): Promise<Running> {
  const [command, args] = pinned(spec.place, spec.command, spec.args);
  const output = openSync(outputOf(spec), 'a');
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(command, args, {
    cwd: spec.folder,
    env: { PATH, HOME, ...spec.environment },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${spec.command} cannot be started`);
  await waitForPort(spec, child, port);
  return { name: spec.name, pid, stop: () => stop(child) };
}

function outputOf({ folder, name }: ProcessSpec): string {
  return join(folder, `${name}.out`);
}

async function waitForPort(spec: ProcessSpec, child: ChildProcess, port: number): Promise<void> {
  const deadline = performance.now() + OPEN_MS;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`${spec.name} did not start: ${readFileSync(outputOf(spec), 'utf8').trim()}`);
    await pause(10);
  }
}

/** Whether somebody listens on a loopback port. */
export function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('a TCP server without an address');
  return address.port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(late);
}
