// Counts what exchanges come to: a few additions when one ends, one when a stream begins, nothing in between. The sums
// go to the primary with the heartbeat.
import { WORKER_METRICS } from '../metrics/catalogue.ts';
import { NONE } from '../metrics/definition.ts';
import { Family, type Series } from '../metrics/family.ts';
import { type MetricSums, sumsOf } from '../metrics/sums.ts';
import type { Outcome } from './access-log.ts';
import type { Exchange } from './exchange.ts';
import { metricRoute } from './metric-route.ts';
import { CodedUsage } from './usage/coded-usage.ts';
import type { Tokens } from './usage/token-usage.ts';

/** How an exchange ended. */
export interface Result {
  readonly status: number;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

/** What is counted of every request, ready for its route. */
interface RouteSeries {
  readonly duration: Series;
  readonly firstByte: Series;
  readonly requestBytes: Series;
  readonly responseBytes: Series;
}

const CLASSES = [NONE, '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
/** Answers of these are expected to tell what they took. */
const GENERATIONS: ReadonlySet<string> = new Set([
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/embeddings',
]);

/** The sums of one worker. */
export class ExchangeMetrics {
  readonly #requests = new Family(WORKER_METRICS.requests);
  readonly #duration = new Family(WORKER_METRICS.duration);
  readonly #firstByte = new Family(WORKER_METRICS.firstByte);
  readonly #overhead = new Family(WORKER_METRICS.overhead);
  readonly #attempts = new Family(WORKER_METRICS.attempts);
  readonly #failovers = new Family(WORKER_METRICS.failovers);
  readonly #requestBytes = new Family(WORKER_METRICS.requestBytes);
  readonly #responseBytes = new Family(WORKER_METRICS.responseBytes);
  readonly #streamsOpen = new Family(WORKER_METRICS.streamsOpen);
  readonly #streamsEnded = new Family(WORKER_METRICS.streamsEnded);
  readonly #inputTokens = new Family(WORKER_METRICS.inputTokens);
  readonly #outputTokens = new Family(WORKER_METRICS.outputTokens);
  readonly #cachedTokens = new Family(WORKER_METRICS.cachedTokens);
  readonly #usageUnknown = new Family(WORKER_METRICS.usageUnknown);
  readonly #logLinesLost = new Family(WORKER_METRICS.workerLogLinesLost);
  readonly #all: readonly Family[] = [
    ...[this.#requests, this.#duration, this.#firstByte, this.#overhead, this.#attempts, this.#failovers],
    ...[this.#requestBytes, this.#responseBytes, this.#streamsOpen, this.#streamsEnded],
    ...[this.#inputTokens, this.#outputTokens, this.#cachedTokens, this.#usageUnknown, this.#logLinesLost],
  ];
  readonly #routes = new Map<string, RouteSeries>();
  #hasChanged = false;
  #hasStarted = false;

  /** Counts from now on: what came before was our own. */
  start(): void {
    this.#hasStarted = true;
  }

  /** An event stream or a WebSocket has begun. */
  onStreamBegun(exchange: Exchange): void {
    this.#hasChanged = true;
    exchange.isStream = true;
    this.#streamsOpen.at(metricRoute(exchange.path)).add(1);
  }

  /** To be called once for each exchange. */
  onEnded(exchange: Exchange, result: Result): void {
    if (!this.#hasStarted) return;
    this.#hasChanged = true;
    const route = metricRoute(exchange.path);
    this.#countRequest(exchange, route, result);
    if (exchange.attempts > 0) this.#countAttempts(exchange);
    if (exchange.isStream) {
      this.#streamsOpen.at(route).add(-1);
      this.#streamsEnded.at(route, exchange.errorCode ?? 'completed').add(1);
    }
    this.#countTokens(exchange, route, result);
  }

  /** @param lost so far, on the way to the primary */
  setLogLinesLost(lost: number): void {
    const series = this.#logLinesLost.at();
    const before = series.figures[0] ?? 0;
    if (lost === before) return;
    this.#hasChanged = true;
    series.add(lost - before);
  }

  /** Everything counted so far. */
  get sums(): MetricSums {
    return sumsOf(this.#all);
  }

  /** The same, or null when nothing has changed since this was asked last. */
  takeChanged(): MetricSums | null {
    if (!this.#hasChanged) return null;
    this.#hasChanged = false;
    return this.sums;
  }

  #countRequest(exchange: Exchange, route: string, { status, outcome, durationMs }: Result): void {
    const { startedAt, firstByteAt, credentialName } = exchange;
    this.#requests.at(route, classOf(status), exchange.dialect, credentialName ?? NONE, outcome).add(1);
    const series = this.#seriesOf(route);
    series.duration.observe(durationMs / 1000);
    if (firstByteAt !== null) series.firstByte.observe((firstByteAt - startedAt) / 1000);
    if (exchange.upstreamMs > 0) {
      this.#overhead.at(route).observe(Math.max(0, durationMs - exchange.upstreamMs) / 1000);
    }
    series.requestBytes.add(exchange.bytesIn);
    series.responseBytes.add(exchange.bytesOut);
  }

  #seriesOf(route: string): RouteSeries {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const series = {
      duration: this.#duration.at(route),
      firstByte: this.#firstByte.at(route),
      requestBytes: this.#requestBytes.at(route),
      responseBytes: this.#responseBytes.at(route),
    };
    this.#routes.set(route, series);
    return series;
  }

  #countAttempts({ failedAttempts, credentialName, upstreamStatus }: Exchange): void {
    for (const { credential, cause } of failedAttempts) {
      this.#failovers.at(credential, cause).add(1);
      this.#attempts.at(credential, /^\d+$/.test(cause) ? classOf(Number(cause)) : NONE).add(1);
    }
    this.#attempts.at(credentialName ?? NONE, classOf(upstreamStatus ?? 0)).add(1);
  }

  #countTokens(exchange: Exchange, route: string, { status }: Result): void {
    const { usage } = exchange;
    const isExpected = status === 200 && exchange.method === 'POST' && GENERATIONS.has(route);
    const missing = usage === null || usage instanceof CodedUsage ? 'unreadable' : 'not_told';
    this.#addTokens(exchange, usage?.tokens ?? null, isExpected ? missing : null);
  }

  /** @param missing what to count when there are none */
  #addTokens(exchange: Exchange, tokens: Tokens | null, missing: string | null): void {
    if (tokens !== null) {
      const { model, credentialName, client } = exchange;
      const labels = [model ?? NONE, credentialName ?? NONE, client?.name ?? NONE] as const;
      this.#inputTokens.at(...labels).add(tokens.input);
      this.#outputTokens.at(...labels).add(tokens.output);
      this.#cachedTokens.at(...labels).add(tokens.cached);
    } else if (missing !== null) this.#usageUnknown.at(missing).add(1);
  }
}

function classOf(status: number): string {
  return CLASSES[Math.trunc(status / 100)] ?? NONE;
}
