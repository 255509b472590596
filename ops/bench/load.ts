// The load: wrk (autocannon where it is missing) over kept connections, ab for one connection a request. What the
// load side itself cost is measured along, since a load that is at its end measures nothing but itself.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCommand, runCommand } from './commands.ts';
import { pinned } from './pinned-process.ts';
import { treeCpuSeconds } from './process-figures.ts';
import type { CountingUpstream } from './upstream.ts';

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Sent with POST; null is a GET. */
  readonly body: string | null;
  readonly folder: string;
}

/** What one run came to. */
export interface Measured {
  readonly requests: number;
  readonly failed: number;
  readonly requestsPerSecond: number;
  /** Processor time of the subject, microseconds. */
  readonly cpuPerRequest: number;
  /** The load side had no processor time left while the subject had: the rate says nothing of the subject. */
  readonly isLoadBound: boolean;
}

export interface Counted {
  readonly requests: number;
  readonly failed: number;
}

export const HAS_WRK: boolean = hasCommand('wrk');
export const HAS_AB: boolean = hasCommand('ab');
const FULL = 0.93;

/** One run against a subject. */
export async function measure(
  subjectPid: number,
  upstreamPid: number,
  run: () => Promise<Counted>,
): Promise<Measured> {
  const [subject, load, startedAt] = [
    treeCpuSeconds(subjectPid),
    loadSeconds(upstreamPid),
    performance.now(),
  ];
  const { requests, failed } = await run();
  const elapsed = (performance.now() - startedAt) / 1000;
  const subjectSeconds = treeCpuSeconds(subjectPid) - subject;
  const loadShare = (loadSeconds(upstreamPid) - load) / elapsed / Math.max(1, cpus().length - 1);
  return {
    requests,
    failed,
    requestsPerSecond: requests / elapsed,
    cpuPerRequest: (subjectSeconds / Math.max(1, requests)) * 1e6,
    isLoadBound: loadShare > FULL && subjectSeconds / elapsed < FULL,
  };
}

/** A part of a run: what is done before it, such as opening connections, does not count. */
export interface Window {
  readonly leadMs: number;
  readonly ms: number;
}

/** The same for a window of a run that is longer; requests are those that the upstream has had in it. */
export async function measureWindow(
  subjectPid: number,
  upstream: CountingUpstream,
  { leadMs, ms }: Window,
  run: () => Promise<Counted>,
): Promise<Measured> {
  const running = run();
  await pause(leadMs);
  const counted = async (): Promise<Counted> => {
    const before = await upstream.requests();
    await pause(ms);
    return { requests: (await upstream.requests()) - before, failed: 0 };
  };
  const figures = await measure(subjectPid, upstream.process.pid, counted);
  return { ...figures, failed: (await running).failed };
}

/** Requests over kept connections, as many as are answered. */
export async function loadKeptConnections(load: Load): Promise<Counted> {
  return HAS_WRK ? runWrk(load) : runAutocannon(load);
}

/** One connection for every request. */
export async function loadNewConnections(
  url: string,
  connections: number,
  requests: number,
): Promise<Counted> {
  const [command, args] = pinned('load', 'ab', ['-q', '-n', `${requests}`, '-c', `${connections}`, url]);
  const { stdout } = await runCommand(command, args);
  return {
    requests: numberIn(/Complete requests:\s+(\d+)/, stdout),
    failed: numberIn(/Failed requests:\s+(\d+)/, stdout),
  };
}

async function runWrk({ url, connections, seconds, body, folder }: Load): Promise<Counted> {
  const script = body === null ? [] : ['-s', await writePostScript(folder, body)];
  const options = ['-t1', '--timeout', '30s', `-c${connections}`, `-d${seconds}s`, ...script, url];
  const { stdout } = await runCommand(...pinned('load', 'wrk', options));
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  const refused = numberIn(/Non-2xx or 3xx responses: (\d+)/, stdout);
  return {
    requests: numberIn(/(\d+) requests in/, stdout),
    failed: errors.reduce((sum, count) => sum + Number(count), refused),
  };
}

async function writePostScript(folder: string, body: string): Promise<string> {
  const file = join(folder, 'post.lua');
  await writeFile(
    file,
    `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[${body}]==]\n`,
  );
  return file;
}

async function runAutocannon({ url, connections, seconds, body }: Load): Promise<Counted> {
  const script = createRequire(import.meta.url).resolve('autocannon/autocannon.js');
  const post = body === null ? [] : ['-m', 'POST', '-H', 'content-type=application/json', '-b', body];
  const options = [script, '-j', '-c', `${connections}`, '-d', `${seconds}`, ...post, url];
  const { stdout } = await runCommand(...pinned('load', process.execPath, options));
  const count = (name: string): number => numberIn(new RegExp(`"${name}":(\\d+)`), stdout);
  return { requests: count('2xx'), failed: count('non2xx') + count('errors') };
}

function numberIn(pattern: RegExp, text: string): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** Of this process, of the load programs that it has waited for, and of the upstream. */
function loadSeconds(upstreamPid: number): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  return fields.reduce((sum, ticks) => sum + Number(ticks) / 100, 0) + treeCpuSeconds(upstreamPid);
}
