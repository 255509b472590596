// What is counted of log lines, line by line, and how two counts become one. Pure data: it travels between threads.
import { addSums, noSums, type Sums } from './sums.ts';
import { addTime, emptyTimes, mergeTimes, type Times } from './times.ts';

/** One exchange that took long. */
export interface SlowExchange {
  readonly durationMs: number;
  readonly time: string;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly credential: string;
  readonly model: string;
}

export interface Tally {
  lines: number;
  /** No JSON object with time, level and message. */
  brokenLines: number;
  /** From before the time that is asked for; in no other count. */
  olderLines: number;
  errorLines: number;
  /** Of level INFO or DEBUG; exchanges that succeed are. */
  quietLines: number;
  /** ISO-8601; empty without a line. */
  firstAt: string;
  lastAt: string;
  exchanges: number;
  succeeded: number;
  failed: number;
  clientsGone: number;
  answeredLocally: number;
  failovers: number;
  durations: Times;
  firstBytes: Times;
  readonly byCredential: Map<string, Sums>;
  readonly byModel: Map<string, Sums>;
  readonly byClient: Map<string, Sums>;
  readonly failures: Map<string, number>;
  slowest: SlowExchange[];
}

/** One parsed log line. */
export type LogLine = Readonly<Record<string, unknown>>;

const SLOWEST = 10;
/** Names that clients choose, such as models, must not fill the memory. */
const MOST_NAMES = 1_000;
const OTHERS = '(others)';

export function emptyTally(): Tally {
  return {
    lines: 0,
    brokenLines: 0,
    olderLines: 0,
    errorLines: 0,
    quietLines: 0,
    firstAt: '',
    lastAt: '',
    exchanges: 0,
    succeeded: 0,
    failed: 0,
    clientsGone: 0,
    answeredLocally: 0,
    failovers: 0,
    durations: emptyTimes(),
    firstBytes: emptyTimes(),
    byCredential: new Map(),
    byModel: new Map(),
    byClient: new Map(),
    failures: new Map(),
    slowest: [],
  };
}

/**
 * Counts one line.
 * @param since ISO-8601 in UTC, as log lines have it; empty for all
 */
export function addLine(tally: Tally, text: string, since: string): void {
  tally.lines += 1;
  const line = parseLine(text);
  if (line === undefined) {
    tally.brokenLines += 1;
    return;
  }
  const time = textOf(line, 'time');
  if (time < since) {
    tally.lines -= 1;
    tally.olderLines += 1;
    return;
  }
  if (tally.firstAt === '' || time < tally.firstAt) tally.firstAt = time;
  if (time > tally.lastAt) tally.lastAt = time;
  if (line['level'] === 'ERROR') tally.errorLines += 1;
  else if (line['level'] !== 'WARNING') tally.quietLines += 1;
  const message = textOf(line, 'msg');
  if (message.startsWith('Request processed')) addExchange(tally, line, time);
  else if (message.startsWith('Answered locally')) tally.answeredLocally += 1;
}

/** Adds the second count to the first. */
export function mergeTally(into: Tally, from: Tally): void {
  into.lines += from.lines;
  into.brokenLines += from.brokenLines;
  into.olderLines += from.olderLines;
  into.errorLines += from.errorLines;
  into.quietLines += from.quietLines;
  if (into.firstAt === '' || (from.firstAt !== '' && from.firstAt < into.firstAt))
    into.firstAt = from.firstAt;
  if (from.lastAt > into.lastAt) into.lastAt = from.lastAt;
  into.exchanges += from.exchanges;
  into.succeeded += from.succeeded;
  into.failed += from.failed;
  into.clientsGone += from.clientsGone;
  into.answeredLocally += from.answeredLocally;
  into.failovers += from.failovers;
  mergeTimes(into.durations, from.durations);
  mergeTimes(into.firstBytes, from.firstBytes);
  for (const by of ['byCredential', 'byModel', 'byClient'] as const) {
    for (const [name, sums] of from[by]) addSums(sumsOf(into[by], name), sums);
  }
  for (const [reason, count] of from.failures) addFailures(into, reason, count);
  for (const exchange of from.slowest) keepIfSlow(into, exchange);
}

function parseLine(text: string): LogLine | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isLogLine(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isLogLine(parsed: unknown): parsed is LogLine {
  if (typeof parsed !== 'object' || parsed === null) return false;
  return 'time' in parsed && 'level' in parsed && 'msg' in parsed && typeof parsed.time === 'string';
}

function addExchange(tally: Tally, line: LogLine, time: string): void {
  const outcome = line['outcome'];
  const sums: Sums = {
    exchanges: 1,
    succeeded: outcome === 'completed' ? 1 : 0,
    bytesIn: numberOf(line, 'bytesIn'),
    bytesOut: numberOf(line, 'bytesOut'),
    withTokens: line['tokensIn'] === undefined && line['tokensOut'] === undefined ? 0 : 1,
    tokensIn: numberOf(line, 'tokensIn'),
    tokensOut: numberOf(line, 'tokensOut'),
    tokensCached: numberOf(line, 'tokensCached'),
  };
  tally.exchanges += 1;
  tally.succeeded += sums.succeeded;
  if (outcome === 'failed') addFailures(tally, reasonOf(line), 1);
  if (outcome === 'failed') tally.failed += 1;
  if (outcome === 'client_left') tally.clientsGone += 1;
  if (Array.isArray(line['failovers'])) tally.failovers += line['failovers'].length;
  addNamed(tally.byCredential, textOf(line, 'credential'), sums);
  addNamed(tally.byModel, textOf(line, 'model'), sums);
  addNamed(tally.byClient, textOf(line, 'client'), sums);
  const durationMs = numberOf(line, 'durationMs');
  addTime(tally.durations, durationMs);
  if (line['ttfbMs'] !== undefined) addTime(tally.firstBytes, numberOf(line, 'ttfbMs'));
  if (isSlow(tally, durationMs)) keepIfSlow(tally, slowExchange(line, time, durationMs));
}

function reasonOf(line: LogLine): string {
  const code = textOf(line, 'error');
  return code === '' ? `status ${numberOf(line, 'status')}` : code;
}

function slowExchange(line: LogLine, time: string, durationMs: number): SlowExchange {
  return {
    durationMs,
    time,
    requestId: textOf(line, 'requestId'),
    method: textOf(line, 'method'),
    path: textOf(line, 'path'),
    status: numberOf(line, 'status'),
    credential: textOf(line, 'credential'),
    model: textOf(line, 'model'),
  };
}

function isSlow({ slowest }: Tally, durationMs: number): boolean {
  return slowest.length < SLOWEST || durationMs > (slowest.at(-1)?.durationMs ?? 0);
}

function keepIfSlow(tally: Tally, exchange: SlowExchange): void {
  if (!isSlow(tally, exchange.durationMs)) return;
  tally.slowest = [...tally.slowest, exchange].sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
}

function addNamed(sums: Map<string, Sums>, name: string, more: Sums): void {
  if (name !== '') addSums(sumsOf(sums, name), more);
}

function addFailures({ failures }: Tally, reason: string, count: number): void {
  const name = failures.has(reason) || failures.size < MOST_NAMES ? reason : OTHERS;
  failures.set(name, (failures.get(name) ?? 0) + count);
}

function sumsOf(all: Map<string, Sums>, name: string): Sums {
  const key = all.has(name) || all.size < MOST_NAMES ? name : OTHERS;
  const known = all.get(key);
  if (known !== undefined) return known;
  const none = noSums();
  all.set(key, none);
  return none;
}

function textOf(line: LogLine, field: string): string {
  const value = line[field];
  return typeof value === 'string' ? value : '';
}

function numberOf(line: LogLine, field: string): number {
  const value = line[field];
  return typeof value === 'number' ? value : 0;
}
