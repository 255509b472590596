// The way of one exchange to the upstream and back: lease → attempt → judge, again with another credential while
// nothing has reached the client, then relay. Whatever happens, it ends the response.
import type { RetrySettings, UpstreamLimits } from '../config/settings.ts';
import type { Lease, NoLease } from '../credentials/pool.ts';
import { messageOf } from '../errors.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import type { ErrorReply } from './dialect.ts';
import type { Exchange, Forwarded } from './exchange.ts';
import { HeldAnswer } from './held-answer.ts';
import { judgeAnswer, judgeBreak, judgeFailure } from './judge.ts';
import { type Leases, noLeaseError } from './leases.ts';
import { Relay, type RelayParts } from './relay.ts';
import { replyError } from './reply.ts';
import { leaseWait, mayTryAgain, nextLease } from './retry-bounds.ts';
import type { Target } from './target.ts';
import { NOT_TICKING, type Ticker, type Ticking } from './ticker.ts';
import type { Upstream } from './upstream.ts';

/** What every exchange is forwarded with. */
export interface ForwardingParts extends RelayParts {
  readonly target: Target;
  readonly upstream: Upstream;
  readonly leases: Leases;
  readonly ticker: Ticker;
  readonly limits: UpstreamLimits;
  readonly retry: RetrySettings;
}

/** An error answer that does not come to its end within this time is given up for another attempt. */
const HOLD_MS = 2_000;

/** Forwards one exchange. */
export class Forwarding implements AttemptListener, Forwarded, Ticking {
  readonly #parts: ForwardingParts;
  readonly #exchange: Exchange;
  readonly #relay: Relay;
  readonly #tried: string[] = [];
  tickerPlace: number = NOT_TICKING;
  #attempt: Attempt | undefined;
  #lease: Lease | undefined;
  /** The latest answer that was not relayed, and whether its body is still coming. */
  #held: HeldAnswer | undefined;
  /** Of the latest attempt without an answer. */
  #lastError: ErrorReply | undefined;
  #isHolding = false;
  #holdingSince = 0;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(exchange: Exchange, parts: ForwardingParts) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#relay = new Relay(exchange, parts, () => this.#attempt?.resume());
  }

  start(): void {
    this.#exchange.forwarding = this;
    this.#parts.ticker.add(this);
    this.#next();
  }

  onHeaders(status: number, headers: readonly string[], statusText: string): void {
    const verdict = judgeAnswer(status, headers, Date.now(), this.#parts.retry.causes);
    this.#exchange.upstreamStatus = status;
    if (this.#lease !== undefined) this.#parts.leases.settle(this.#lease, status, verdict);
    if (verdict.isRetryable && this.#mayTryAgain()) {
      this.#exchange.noteFailover(String(status));
      this.#held = new HeldAnswer(status, headers, statusText);
      this.#isHolding = true;
      this.#holdingSince = performance.now();
    } else {
      this.#held = undefined;
      this.#relay.begin(status, headers, statusText);
    }
  }

  onData(chunk: Buffer): void {
    if (!this.#isHolding || this.#held === undefined) this.#relay.write(chunk);
    else if (!this.#held.push(chunk)) {
      this.#isHolding = false;
      this.#replay(this.#held);
    }
  }

  onRead(): boolean {
    return this.#isHolding || this.#relay.flush();
  }

  onEnd(): void {
    this.#exchange.endAttempt();
    if (this.#isHolding) this.#next();
    else if (this.#relay.isCutShort) {
      const cause = new Error('the connection ended before the body did');
      this.#breakOff(judgeBreak(cause, this.#parts.target.host), cause.message);
    } else this.#relay.end();
  }

  onFailure(cause: Error, wasSent: boolean): void {
    const exchange = this.#exchange;
    exchange.endAttempt();
    this.#release();
    if (exchange.response.headersSent) {
      this.#breakOff(judgeBreak(cause, this.#parts.target.host), messageOf(cause));
    } else if (this.#isHolding) {
      this.#dropHeld();
      this.#next();
    } else this.#onNoAnswer(cause, wasSent);
  }

  onTick(now: number): void {
    const { limits } = this.#parts;
    if (limits.exchangeMs > 0 && now - this.#exchange.startedAt > limits.exchangeMs) this.#onExpired();
    else if (this.#isHolding && now - this.#holdingSince > HOLD_MS) {
      this.#attempt?.abort();
      this.#dropHeld();
      this.#next();
    } else {
      this.#attempt?.onTick(now);
      this.#relay.keepAlive(now);
    }
  }

  /** Another attempt, at once or after a short wait, or else the end. */
  #next(): void {
    this.#isHolding = false;
    this.#exchange.endAttempt();
    const { leases, retry } = this.#parts;
    const lease = leases.take(nextLease(this.#exchange, this.#tried));
    if ('credentialId' in lease) this.#try(lease);
    else {
      const waitMs = leaseWait(this.#exchange, lease.retryAt, retry, Date.now());
      if (waitMs === null) this.#end(lease);
      else this.#timer = setTimeout(() => this.#next(), waitMs);
    }
  }

  /** What the client gets when no attempt is left: the last answer there was, or an error of ours. */
  #end(noLease: NoLease): void {
    if (this.#held !== undefined) {
      this.#replay(this.#held);
      this.#relay.end();
    } else if (this.#lastError !== undefined) this.#fail(this.#lastError);
    else {
      const { error, headers } = noLeaseError(noLease, Date.now());
      this.#fail(error, headers);
    }
  }

  #dropHeld(): void {
    this.#held = undefined;
    this.#lastError = judgeBreak(new Error('an error answer did not end'), this.#parts.target.host);
  }

  #try(lease: Lease): void {
    const exchange = this.#exchange;
    const { target, upstream, limits } = this.#parts;
    this.#lease = lease;
    this.#tried.push(lease.credentialId);
    exchange.beginAttempt(lease.name);
    const message = {
      method: exchange.method,
      path: `${target.basePath}${exchange.path}${exchange.query}`,
      headers: exchange.headers,
      authorization: lease.authorization,
      body: exchange.body,
    };
    this.#attempt = new Attempt(upstream.connections, message, limits, this);
  }

  #mayTryAgain(): boolean {
    const { body, response } = this.#exchange;
    if (this.#isOver || response.headersSent || body.type === 'stream') return false;
    return mayTryAgain(this.#exchange, this.#tried, this.#parts);
  }

  #onNoAnswer(cause: Error, wasSent: boolean): void {
    const exchange = this.#exchange;
    const { target, retry } = this.#parts;
    const failure = { cause, wasSent, method: exchange.method, host: target.host };
    const { reply, detail, isRetryable } = judgeFailure(failure, retry.causes);
    this.#lastError = reply;
    exchange.errorDetail = detail;
    if (isRetryable && this.#mayTryAgain()) {
      exchange.noteFailover(reply.code);
      this.#next();
    } else this.#end({ retryAt: null });
  }

  #replay({ status, headers, statusText, chunks }: HeldAnswer): void {
    this.#held = undefined;
    this.#relay.begin(status, headers, statusText);
    for (const chunk of chunks) this.#relay.write(chunk);
  }

  #onExpired(): void {
    const seconds = this.#parts.limits.exchangeMs / 1000;
    const message = `The request took longer than ${seconds} s in all (FLOW_PROXY_EXCHANGE_TIMEOUT).`;
    this.cutOff({ status: 504, code: 'exchange_timeout', message });
  }

  /** Ends it here and now; the client is told why, in the stream if that has begun. */
  cutOff(error: ErrorReply): void {
    if (this.#isOver || this.#relay.isLeaving) return;
    this.#attempt?.abort();
    this.#release();
    if (this.#exchange.response.headersSent) this.#breakOff(error, error.message);
    else this.#fail(error);
  }

  #fail(error: ErrorReply, headers: readonly string[] = []): void {
    const { body, response } = this.#exchange;
    this.#stop();
    // A body that was only partly read leaves its rest on the connection.
    if (body.type === 'stream') response.shouldKeepAlive = false;
    replyError(this.#exchange, error, headers);
  }

  #breakOff(error: ErrorReply, detail: string): void {
    this.#exchange.errorCode = error.code;
    this.#exchange.errorDetail = detail;
    this.#stop();
    this.#relay.breakOff(error);
  }

  /** The response is over; if not by us, the client has left. */
  onClosed(): void {
    this.#stop();
    this.#release();
    this.#attempt?.abort();
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#parts.ticker.delete(this);
  }

  #release(): void {
    if (this.#lease !== undefined) this.#parts.leases.release(this.#lease);
  }
}
