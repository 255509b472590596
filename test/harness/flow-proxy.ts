// A running flow-proxy for a test: started with its own settings on a free port, ready when this returns, gone with
// the test. Most tests want it together with a simulated upstream: see stack.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, within } from './eventually.ts';
import { type Exit, type FlowProcess, type ProcessOptions, spawnFlowProxy } from './flow-process.ts';
import { type LogLine, parseLog } from './log-lines.ts';

const READY_MS = 60_000;
const DRAINED_MS = 60_000;
const LOG_LINE_MS = 30_000;
const LOG_FILE = 'flow_proxy_plugin.log';

export interface FlowProxyOptions extends ProcessOptions {
  /** FLOW_PROXY_TARGET_URL. */
  readonly upstream: string;
  /** Log to one plain file in its folder instead of standard output. */
  readonly logToFile?: boolean;
}

/** Whatever ends before its processes must: a test's context. */
export interface Scope {
  after(end: () => Promise<void>): void;
}

export class FlowProxy {
  readonly port: number;
  readonly url: string;
  /** The plain log file; null when the log goes to standard output. */
  readonly logFile: string | null;
  readonly #process: FlowProcess;

  constructor(flowProcess: FlowProcess, port: number, logFile: string | null) {
    this.#process = flowProcess;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.logFile = logFile;
  }

  get pid(): number {
    return this.#process.pid;
  }

  get folder(): string {
    return this.#process.folder;
  }

  get stdout(): string {
    return this.#process.stdout;
  }

  get stderr(): string {
    return this.#process.stderr;
  }

  /** Resolves when the primary has ended. */
  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  /** Every line of the log so far. */
  get logLines(): readonly LogLine[] {
    if (this.logFile === null) return this.#process.log.all;
    return parseLog(readFileSync(this.logFile, 'utf8'));
  }

  /** Resolves with the first line, already there or still to come, that satisfies the predicate. */
  async waitForLog(predicate: (line: LogLine) => boolean, timeoutMs: number = LOG_LINE_MS): Promise<LogLine> {
    if (this.logFile === null) return this.#process.log.waitFor(predicate, timeoutMs);
    return eventually(`a log line with ${predicate}`, () => this.logLines.find(predicate), timeoutMs);
  }

  /** Where /metrics and /status are; the setting ADMIN_LISTEN has to be something like 127.0.0.1:0. */
  async adminUrl(): Promise<string> {
    const { msg } = await this.waitForLog((line) => line.msg.startsWith('Metrics and status on '));
    return msg.slice('Metrics and status on '.length);
  }

  /** Resolves with the line of the exchange that had this request id. */
  waitForExchange(requestId: string | null | undefined): Promise<LogLine> {
    return this.waitForLog((line) => line['requestId'] === requestId);
  }

  /** Pids of the workers, oldest first. */
  workerPids(): number[] {
    return this.#process.workerPids();
  }

  /** Asks it to drain (SIGTERM) and resolves with its exit code, null when a signal ended it; rejects when it hangs. */
  async stop(): Promise<number | null> {
    const { code } = await within('the drain', DRAINED_MS, this.#process.stop());
    return code;
  }

  /** Signals the primary. */
  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** For the end of a test: stops it, by force if need be, and removes its folder. */
  end(): Promise<void> {
    return this.#process.end();
  }
}

/**
 * Starts flow-proxy on a free port and resolves when it serves; rejects with what it printed when it does not.
 * @param scope ends it; without one the caller has to call `end`
 */
export async function startFlowProxy(options: FlowProxyOptions, scope?: Scope): Promise<FlowProxy> {
  const flowProcess = await spawnFlowProxy({ ...options, settings: settingsOf(options) });
  scope?.after(() => flowProcess.end());
  try {
    const ready = await within('the start of flow-proxy', READY_MS, waitForReady(flowProcess));
    const logFile = options.logToFile ? join(flowProcess.folder, LOG_FILE) : null;
    return new FlowProxy(flowProcess, ready, logFile);
  } catch (cause) {
    flowProcess.killGroup();
    await flowProcess.end();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`flow-proxy did not become ready: ${why}\n${flowProcess.describe()}`);
  }
}

function settingsOf({ upstream, logToFile, settings }: FlowProxyOptions): Record<string, string | number> {
  return {
    PORT: 0,
    NUM_WORKERS: 2,
    TARGET_URL: upstream,
    UPSTREAM_PROXY: 'none',
    CONTROL_SOCKET: 'control.sock',
    ...(logToFile ? { LOG_FILE } : {}),
    ...settings,
  };
}

async function waitForReady({ log, exited }: FlowProcess): Promise<number> {
  const ended = exited.then(({ code, signal }) => {
    throw new Error(`it ended with ${signal ?? `exit code ${code}`}`);
  });
  const line = await Promise.race([log.waitFor(({ msg }) => msg.startsWith('Ready on '), READY_MS), ended]);
  ended.catch(() => {});
  return Number(/^Ready on https?:\/\/\S+:(\d+) /.exec(line.msg)?.[1]);
}
