// The one line that every exchange leaves. Its message keeps the words of the Python predecessor, so that operators'
// grep and awk lines go on counting: "Request processed", "successfully", "Using configuration 'NAME'".
import type { Logger } from '../logging/logger.ts';
import type { Exchange, FailedAttempt } from './exchange.ts';
import type { ExchangeMetrics } from './exchange-metrics.ts';
import { isLocal } from './local-routes.ts';

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

/** Writes the line and counts the exchange; to be called once, when the client's side is over. */
export function finishExchange(
  exchange: Exchange,
  ending: Ending,
  log: Logger,
  metrics: ExchangeMetrics,
): void {
  // An answer that stopped before its end, and not by us: the client has left.
  if (!ending.isWhole) exchange.errorCode ??= 'client_left';
  const status = ending.status ?? CLIENT_LEFT_STATUS;
  const outcome = outcomeOf(exchange, status, ending.isWhole);
  exchange.endAttempt();
  const durationMs = performance.now() - exchange.startedAt;
  metrics.onEnded(exchange, { status, outcome, durationMs });
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
  else if (status >= 500 || !ending.isWhole) log.error(fields);
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
