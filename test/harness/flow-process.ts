// flow-proxy as a real child process: its folder, its clean environment, what it prints, how it ends. It runs in a
// process group of its own, so that its workers can be ended with it whatever state it is in.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LogLines } from './log-lines.ts';

/** The compiled command line of the same build as this file. */
export const MAIN: string = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

const INHERITED = ['PATH', 'HOME'];
/** To count what it runs costs a process a quarter of a second; every third service of a test file tells enough. */
const COVERED_OF = 3;
const END_MS = 10_000;

/** One entry of secrets.json. */
export interface SecretsEntry {
  readonly name?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
  readonly weight?: number;
}

export interface ProcessOptions {
  /** Contents of secrets.json; without it there is no such file. */
  readonly credentials?: readonly SecretsEntry[];
  /** Settings by variable, with or without `FLOW_PROXY_`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Contents of .env in its folder; without it there is no such file. */
  readonly envFile?: string;
  /** Another installation's dist/src/cli/main.js. */
  readonly main?: string;
  /** Further environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it is run by, such as `setpriv` and its options; has to become it. */
  readonly runBy?: readonly string[];
  /** Command and flags; none is the service itself. */
  readonly args?: readonly string[];
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<FlowProcess>();
let spawned = 0;
process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(1);
  });
}

export class FlowProcess {
  /** Its working directory, with secrets.json in it. */
  readonly folder: string;
  readonly log: LogLines = new LogLines();
  /** Resolves when the primary has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  #stdout = '';
  #stderr = '';
  #hasExited = false;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>, folder: string) {
    this.#child = child;
    this.folder = folder;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.log.push(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    // Not "close": workers that outlive a killed primary hold its pipes open.
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        this.#hasExited = true;
        setImmediate(() => resolve({ code, signal }));
      });
    });
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** Pids of the workers, oldest first. */
  workerPids(): number[] {
    try {
      const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
      return children.split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  /** Signals the primary. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to drain (SIGTERM) and resolves with how it ended. */
  async stop(): Promise<Exit> {
    this.kill('SIGTERM');
    return this.exited;
  }

  /** For the end of a test: stops it, by force if need be, and removes its folder. Never rejects. */
  async end(): Promise<void> {
    if (!this.#hasExited) {
      const late = setTimeout(() => this.killGroup(), END_MS);
      await this.stop().catch(() => {});
      clearTimeout(late);
    }
    this.killGroup();
    running.delete(this);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Ends the primary and every worker at once. */
  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // No process of the group is left.
    }
  }

  /** What it printed, for the message of an error. */
  describe(): string {
    return `--- stdout ---\n${this.#stdout}\n--- stderr ---\n${this.#stderr}`;
  }
}

/** Starts flow-proxy in a folder of its own and does not wait for anything. */
export async function spawnFlowProxy(options: ProcessOptions): Promise<FlowProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-test-'));
  if (options.credentials !== undefined) {
    await writeFile(join(folder, 'secrets.json'), JSON.stringify(options.credentials), { mode: 0o600 });
  }
  if (options.envFile !== undefined) await writeFile(join(folder, '.env'), options.envFile);
  // The -- as in what is shipped: without it node takes --env-file for its own.
  const [program = '', ...args] = [...(options.runBy ?? []), process.execPath, '--', options.main ?? MAIN];
  const child = spawn(program, [...args, ...(options.args ?? [])], {
    cwd: folder,
    env: environmentOf(options),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new FlowProcess(child, folder);
}

function environmentOf({ settings = {}, environment = {} }: ProcessOptions): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  // Node hands it on by itself unless it is there as undefined.
  const isCovered = spawned % COVERED_OF === 0;
  const coverage = { NODE_V8_COVERAGE: isCovered ? process.env['NODE_V8_COVERAGE'] : undefined };
  spawned += 1;
  const given = Object.entries(settings).map(([name, value]) => [
    name.startsWith('FLOW_PROXY_') ? name : `FLOW_PROXY_${name}`,
    String(value),
  ]);
  // Services of several tests at a time would want the same port.
  const quiet = { FLOW_PROXY_ADMIN_LISTEN: 'off' };
  return {
    ...Object.fromEntries(inherited),
    ...coverage,
    ...quiet,
    ...Object.fromEntries(given),
    ...environment,
  };
}

function killAll(): void {
  for (const flowProcess of running) flowProcess.killGroup();
}
