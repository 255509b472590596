// The one line that every exchange leaves. Its message keeps the words of the Python predecessor, so that operators'
// grep and awk lines go on counting: "Request processed", "successfully", "Using configuration 'NAME'".
import type { LineWriter, LogLevel } from '../logging/logger.ts';
import { clientText } from './client-text.ts';
import type { Exchange, FailedAttempt } from './exchange.ts';
import type { ExchangeMetrics, Result } from './exchange-metrics.ts';
import { isLocal } from './local-routes.ts';
import { CodedUsage } from './usage/coded-usage.ts';

/** How an exchange ended. */
export type Outcome = 'completed' | 'failed' | 'client_left';

const LONGEST_PATH = 300;
/** What is written again and again is remembered as JSON, so much of each kind. */
const REMEMBERED = 1_000;
const ownNames = new Map<string, string>();
const paths = new Map<string, string>();

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
  readonly #log: LineWriter;
  readonly #metrics: ExchangeMetrics;
  /** Exchanges that are over but for the reading of their tokens. */
  #unread = 0;
  #onAllRead: () => void = () => {};

  constructor(log: LineWriter, metrics: ExchangeMetrics) {
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
    this.#log.line(levelOf(exchange, result, isWhole), fieldsOf(exchange, result));
  }
}

/** Asked by probes every few seconds: a service that is well is no news, and one that drains is no error. */
function levelOf(exchange: Exchange, { status, outcome }: Result, isWhole: boolean): LogLevel {
  if (isLocal(exchange)) return outcome === 'failed' ? 'WARNING' : 'DEBUG';
  if (outcome !== 'failed') return 'INFO';
  return status >= 500 || !isWhole ? 'ERROR' : 'WARNING';
}

/** As JSON without its braces. The sentence first, so that nothing a client chose stands before the words in it. */
function fieldsOf(exchange: Exchange, { status, outcome, durationMs }: Result): string {
  const { client, credentialName, failedAttempts, model, firstByteAt, errorCode, errorDetail } = exchange;
  const tokens = exchange.usage?.tokens;
  const path = pathText(exchange.path);
  const how = `${status} in ${Math.round(durationMs)} ms`;
  let fields =
    `"msg":"${beginning(exchange, outcome)} ${exchange.method} ${path} ${how}"` +
    `,"requestId":"${clientText(exchange.id)}","method":"${exchange.method}"` +
    `,"path":"${path}","status":${status},"outcome":"${outcome}"`;
  if (client !== null) fields += `,"client":"${ownName(client.name)}"`;
  if (credentialName !== null) fields += `,"credential":"${ownName(credentialName)}"`;
  fields += `,"attempts":${exchange.attempts}`;
  if (failedAttempts.length > 0) fields += `,"failovers":${JSON.stringify(failedAttempts.map(inWords))}`;
  if (model !== null) fields += `,"model":"${clientText(model)}"`;
  fields += `,"bytesIn":${exchange.bytesIn},"bytesOut":${exchange.bytesOut}`;
  if (tokens) {
    fields += `,"tokensIn":${tokens.input},"tokensOut":${tokens.output},"tokensCached":${tokens.cached}`;
  }
  if (firstByteAt !== null) fields += `,"ttfbMs":${rounded(firstByteAt - exchange.startedAt)}`;
  fields += `,"durationMs":${rounded(durationMs)}`;
  if (errorCode !== null) fields += `,"error":${JSON.stringify(errorCode)}`;
  if (errorDetail !== null) fields += `,"detail":"${clientText(errorDetail)}"`;
  return fields;
}

function inWords({ credential, cause }: FailedAttempt): string {
  return `${credential}: ${cause}`;
}

function outcomeOf({ errorCode }: Exchange, status: number, isWhole: boolean): Outcome {
  if (errorCode === 'client_left') return 'client_left';
  return isWhole && status < 400 ? 'completed' : 'failed';
}

/** The words of the message before those of the request; as they stand in JSON. */
function beginning({ route, credentialName }: Exchange, outcome: Outcome): string {
  if (route === 'local') return 'Answered locally:';
  const how =
    outcome === 'completed'
      ? 'successfully'
      : `with ${outcome === 'failed' ? 'a failure' : 'the client gone'}`;
  const using = credentialName === null ? '' : ` Using configuration '${ownName(credentialName)}'.`;
  return `Request processed ${how}.${using}`;
}

/** With one decimal; put together of whole numbers, whose texts V8 remembers. */
function rounded(ms: number): string {
  const tenths = Math.round(ms * 10);
  const decimal = tenths % 10;
  return decimal === 0 ? `${tenths / 10}` : `${Math.trunc(tenths / 10)}.${decimal}`;
}

/** What stands between the quotes of a JSON string for a name that an operator chose; there are few of them. */
function ownName(name: string): string {
  return ownNames.get(name) ?? remember(ownNames, name, JSON.stringify(name).slice(1, -1));
}

/** Most clients ask for few; the long ones are not worth their memory. */
function pathText(path: string): string {
  if (path.length > LONGEST_PATH) return clientText(`${path.slice(0, LONGEST_PATH)}…`);
  return paths.get(path) ?? remember(paths, path, clientText(path));
}

function remember(known: Map<string, string>, of: string, text: string): string {
  if (known.size >= REMEMBERED) known.clear();
  // A copy: V8 keeps the whole of a text, a target with its query, for a part of it.
  known.set(Buffer.from(of).toString(), text);
  return text;
}
