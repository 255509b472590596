// Real rsyslog daemons: one that forwards by a shipped configuration, and a log server that keeps what it gets.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../harness/eventually.ts';
import type { Scope } from '../harness/flow-proxy.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { root } from '../harness/root.ts';

/** A running daemon. */
export interface Rsyslog {
  stop(): Promise<void>;
}

/** A log server's port and what it got. */
export interface LogServer extends Rsyslog {
  readonly port: number;
  /** Every line so far, without the syslog header. */
  received(): string;
}

/** Keeps the message of everything it gets by TCP, one a line. */
export async function startLogServer(
  scope: Scope,
  { port, folder }: { readonly port?: number; readonly folder?: string } = {},
): Promise<LogServer> {
  const listenOn = port ?? (await freePort());
  const place = folder ?? mkdtempSync(join(tmpdir(), 'log-server-'));
  const file = join(place, 'received.log');
  const daemon = startDaemon(
    place,
    `$MaxMessageSize 64k
     module(load="imtcp")
     input(type="imtcp" port="${listenOn}")
     template(name="line" type="string" string="%msg:::drop-last-lf%\\n")
     action(type="omfile" file="${file}" template="line" asyncWriting="off")`,
    scope,
  );
  await eventually('the log server', () => canConnect(listenOn));
  return {
    ...daemon,
    port: listenOn,
    received: () => {
      try {
        return readFileSync(file, 'utf8').replaceAll(/^ /gm, '');
      } catch {
        return '';
      }
    },
  };
}

/** A daemon with a shipped configuration, sending to this port; `changes` are made to its text. */
export function startForwarder(
  name: string,
  port: number,
  changes: Readonly<Record<string, string>>,
  scope: Scope,
  folder: string = mkdtempSync(join(tmpdir(), 'forwarder-')),
): Rsyslog {
  let config = readFileSync(root(`ops/rsyslog/${name}`), 'utf8');
  const here = { 'log-server.example.com': '127.0.0.1', 'Port="514"': `Port="${port}"`, ...changes };
  for (const [from, to] of Object.entries(here)) {
    if (!config.includes(from)) throw new Error(`${name} has no ${from}`);
    config = config.replaceAll(from, to);
  }
  return startDaemon(folder, `$MaxMessageSize 64k\n${config}`, scope);
}

/** Both, for one log file. */
export async function startForwarding(file: string, scope: Scope): Promise<LogServer> {
  const server = await startLogServer(scope);
  startForwarder('flow-proxy-imfile.conf', server.port, { '/var/log/flow-proxy/app.log': file }, scope);
  return server;
}

function startDaemon(folder: string, config: string, scope: Scope): Rsyslog {
  const [file, work] = [join(folder, 'rsyslog.conf'), join(folder, 'work')];
  mkdirSync(work, { recursive: true });
  writeFileSync(file, `global(workDirectory="${work}")\n${config}\n`);
  const child = spawn('rsyslogd', ['-n', '-f', file, '-i', join(folder, 'pid')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const stop = (): Promise<void> => endDaemon(child);
  scope.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { stop };
}

/** Ends it by SIGTERM. */
export async function endDaemon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

function canConnect(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
