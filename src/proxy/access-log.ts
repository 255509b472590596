// The one line that every exchange leaves. Its message keeps the words of the Python predecessor, so that operators'
// grep and awk lines go on counting: "Request processed", "successfully", "Using configuration 'NAME'".
import type { Logger } from '../logging/logger.ts';
import type { Exchange, FailedAttempt } from './exchange.ts';
import type { ExchangeMetrics, Result } from './exchange-metrics.ts';
import { isLocal } from './local-routes.ts';
import { CodedUsage } from './usage/coded-usage.ts';

/** How an exchange ended. */
export type Outcome = 'completed' | 'failed' | 'client_left';

const LONGEST_PATH = 300;

/** What the client got. */
export interface Ending {
  /** Null when it got nothing. */
  readonly status: number | null;
  readonly isWhole: boolean;
}

/** Clients that left before anything was sent to them; nginx's number for it. */
const CLIENT_LEFT_STATUS = 499;

/** Writes the line of each exchange and counts it. */
export class AccessLog {
  readonly #log: Logger;
  readonly #metrics: ExchangeMetrics;
  /** Exchanges that are over but for the reading of their tokens. */
  #unread = 0;
  #onAllRead: () => void = () => {};

  constructor(log: Logger, metrics: ExchangeMetrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  /** To be called once for each, when the client's side is over. */
  end(exchange: Exchange, ending: Ending): void {
    // An answer that stopped before its end, and not by us: the client has left.
    if (!ending.isWhole) exchange.errorCode ??= 'client_left';
    exchange.endAttempt();
    const status = ending.status ?? CLIENT_LEFT_STATUS;
    const outcome = outcomeOf(exchange, status, ending.isWhole);
    const result = { status, outcome, durationMs: performance.now() - exchange.startedAt };
    const { usage } = exchange;
    if (usage instanceof CodedUsage) this.#endWhenRead(usage, exchange, result, ending.isWhole);
    else this.#end(exchange, result, ending.isWhole);
  }

  /** Resolves when every exchange that is over has its line. */
  async allWritten(): Promise<void> {
    if (this.#unread === 0) return;
    await new Promise<void>((resolve) => {
      this.#onAllRead = resolve;
    });
  }

  #endWhenRead(usage: CodedUsage, exchange: Exchange, result: Result, isWhole: boolean): void {
    this.#unread += 1;
    usage.read(() => {
      this.#unread -= 1;
      this.#end(exchange, result, isWhole);
      if (this.#unread === 0) this.#onAllRead();
    });
  }

  #end(exchange: Exchange, result: Result, isWhole: boolean): void {
    this.#metrics.onEnded(exchange, result);
    writeLine(this.#log, exchange, result, isWhole);
  }
}

function writeLine(
  log: Logger,
  exchange: Exchange,
  { status, outcome, durationMs }: Result,
  isWhole: boolean,
): void {
  const tokens = exchange.usage?.tokens;
  const fields = {
    // First, so that nothing a client chose stands before the words that are searched for.
    msg: messageFor(exchange, outcome, status, durationMs),
    requestId: exchange.id,
    method: exchange.method,
    path: shortened(exchange.path),
    status,
    outcome,
    client: exchange.client?.name,
    credential: exchange.credentialName ?? undefined,
    attempts: exchange.attempts,
    failovers: exchange.failedAttempts.length === 0 ? undefined : exchange.failedAttempts.map(inWords),
    model: exchange.model ?? undefined,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    tokensIn: tokens?.input,
    tokensOut: tokens?.output,
    tokensCached: tokens?.cached,
    ttfbMs: exchange.firstByteAt === null ? undefined : rounded(exchange.firstByteAt - exchange.startedAt),
    durationMs: rounded(durationMs),
    error: exchange.errorCode ?? undefined,
    detail: exchange.errorDetail ?? undefined,
  };
  if (isLocal(exchange)) {
    // Asked by probes every few seconds: a service that is well is no news, and one that drains is no error.
    if (outcome === 'failed') log.warning(fields);
    else log.debug(fields);
  } else if (outcome !== 'failed') log.info(fields);
  else if (status >= 500 || !isWhole) log.error(fields);
  else log.warning(fields);
}

function inWords({ credential, cause }: FailedAttempt): string {
  return `${credential}: ${cause}`;
}

function outcomeOf({ errorCode }: Exchange, status: number, isWhole: boolean): Outcome {
  if (errorCode === 'client_left') return 'client_left';
  return isWhole && status < 400 ? 'completed' : 'failed';
}

function messageFor(exchange: Exchange, outcome: Outcome, status: number, durationMs: number): string {
  const what = `${exchange.method} ${shortened(exchange.path)} ${status} in ${Math.round(durationMs)} ms`;
  if (exchange.route === 'local') return `Answered locally: ${what}`;
  const how =
    outcome === 'completed'
      ? 'successfully'
      : `with ${outcome === 'failed' ? 'a failure' : 'the client gone'}`;
  const using = exchange.credentialName === null ? '' : ` Using configuration '${exchange.credentialName}'.`;
  return `Request processed ${how}.${using} ${what}`;
}

function shortened(path: string): string {
  return path.length <= LONGEST_PATH ? path : `${path.slice(0, LONGEST_PATH)}…`;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
