// The way of one exchange to the upstream and back: lease → attempt → judge → relay. Whatever happens, it ends the
// response.
import type { Lease, NoLease } from '../credentials/pool.ts';
import { messageOf } from '../errors.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import type { ErrorReply } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import { judgeAnswer, judgeFailure } from './judge.ts';
import type { Leases } from './leases.ts';
import { Relay } from './relay.ts';
import { replyError } from './reply.ts';
import type { Target } from './target.ts';
import type { Upstream } from './upstream.ts';

/** What every exchange is forwarded with. */
export interface ForwardingParts {
  readonly target: Target;
  readonly upstream: Upstream;
  readonly leases: Leases;
  /** Longest silence of the upstream: before its answer, and between two bytes of it. */
  readonly silenceMs: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/** Forwards one exchange. */
export class Forwarding implements AttemptListener {
  readonly #parts: ForwardingParts;
  readonly #exchange: Exchange;
  readonly #relay: Relay;
  #attempt: Attempt | undefined;
  #lease: Lease | undefined;

  constructor(exchange: Exchange, parts: ForwardingParts) {
    this.#exchange = exchange;
    this.#parts = parts;
    this.#relay = new Relay(exchange, () => this.#attempt?.resume());
  }

  start(): void {
    const { response } = this.#exchange;
    response.once('close', () => {
      if (!response.writableFinished) this.#onClientLeft();
    });
    const lease = this.#parts.leases.take({ model: null, affinityKey: null, excluded: NOBODY });
    if ('credentialId' in lease) this.#try(lease);
    else this.#refuse(lease);
  }

  onHeaders(status: number, headers: readonly Buffer[], statusText: string): boolean {
    if (this.#lease !== undefined) {
      this.#parts.leases.settle(this.#lease, status, judgeAnswer(status, headers, Date.now()));
    }
    this.#relay.begin(status, headers, statusText);
    return true;
  }

  onData(chunk: Buffer): boolean {
    return this.#relay.write(chunk);
  }

  onEnd(): void {
    this.#relay.end();
  }

  onFailure(cause: Error, wasSent: boolean): void {
    const exchange = this.#exchange;
    this.#release();
    if (exchange.response.headersSent) {
      exchange.errorCode = 'upstream_broke_off';
      exchange.errorDetail = messageOf(cause);
      this.#relay.breakOff();
      return;
    }
    const { reply, detail } = judgeFailure(cause, wasSent, this.#parts.target.host);
    exchange.errorDetail = detail;
    // A body that was only partly read leaves its rest on the connection.
    if (exchange.body.type === 'stream') exchange.response.shouldKeepAlive = false;
    replyError(exchange, reply);
  }

  #try(lease: Lease): void {
    const exchange = this.#exchange;
    const { target, upstream, silenceMs } = this.#parts;
    this.#lease = lease;
    exchange.attempts += 1;
    exchange.credentialName = lease.name;
    this.#attempt = new Attempt(
      upstream.dispatcher,
      {
        origin: target.origin,
        method: exchange.method,
        path: `${target.basePath}${exchange.path}${exchange.query}`,
        headers: [...exchange.headers, 'Authorization', lease.authorization],
        body: exchange.body,
        silenceMs,
      },
      this,
    );
  }

  #refuse(noLease: NoLease): void {
    const { error, headers } = noLeaseError(noLease, Date.now());
    replyError(this.#exchange, error, headers);
  }

  #onClientLeft(): void {
    this.#exchange.errorCode ??= 'client_left';
    this.#release();
    this.#attempt?.abort();
  }

  #release(): void {
    if (this.#lease !== undefined) this.#parts.leases.release(this.#lease);
  }
}

/** What a client is told when no credential can be leased: when to come back, if that is known. */
export function noLeaseError(
  { retryAt }: NoLease,
  now: number,
): { readonly error: ErrorReply; readonly headers: readonly string[] } {
  if (retryAt === null) {
    const message = 'flow-proxy has no credential to send this request with.';
    return { error: { status: 503, code: 'no_credentials', message }, headers: [] };
  }
  const seconds = Math.max(1, Math.ceil((retryAt - now) / 1000));
  const message = `Every credential is over its quota; the first is back in ${seconds} s.`;
  return {
    error: { status: 429, code: 'all_credentials_throttled', message },
    headers: ['Retry-After', String(seconds)],
  };
}
