// One request with its response, from its acceptance to its log line: what each phase found out, and how it ended.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientKey } from '../clients/snapshot.ts';
import { type Dialect, dialectOf, type ErrorReply } from './dialect.ts';
import { type BodyIntake, NO_BODY, type RequestBody } from './request-body.ts';
import { clientRequestId } from './request-headers.ts';
import { newRequestId } from './request-id.ts';
import type { RequestPath } from './target.ts';
import type { CodedUsage } from './usage/coded-usage.ts';
import type { UsageReader } from './usage/usage-reader.ts';

/** Which kind of work an exchange was: forwarded to the upstream, or answered here. */
export type Route = 'upstream' | 'local';

/** An attempt that another one followed. */
export interface FailedAttempt {
  /** Its name. */
  readonly credential: string;
  /** A status of the upstream, or a code of ours where there was none. */
  readonly cause: string;
}

/** What carries an exchange out. */
export interface Forwarded {
  /** Ends it here and now. */
  cutOff(error: ErrorReply): void;
  /** The client's side is over. */
  onClosed(): void;
}

/** A record that phases fill in; it decides nothing. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  /** performance.now() at its acceptance. */
  readonly startedAt: number = performance.now();
  readonly method: string;
  readonly path: string;
  readonly isForward: boolean;
  readonly dialect: Dialect;
  query: string;
  route: Route = 'upstream';
  /** Whose key it came with; null when none is wanted. */
  client: ClientKey | null = null;
  /** For the upstream, without Authorization. */
  headers: readonly string[] = [];
  body: RequestBody = NO_BODY;
  /** Takes in the body, once that has begun. */
  intake: BodyIntake | null = null;
  /** CORS headers for the client's browser, a flat list; null when CORS is off. */
  cors: readonly string[] | null = null;
  /** What carries it to the upstream and back, once that has begun. */
  forwarding: Forwarded | null = null;
  attempts = 0;
  /** What quotas and cooldowns may be bound to, when the body names it. */
  model: string | null = null;
  /** Requests of one conversation share it. */
  affinityKey: string | null = null;
  #failedAttempts: FailedAttempt[] = [];
  /** Of the latest attempt. */
  credentialName: string | null = null;
  /** Why it failed, when it did: a code of ours. */
  errorCode: string | null = null;
  /** What is known of that failure beyond its code; never a secret. */
  errorDetail: string | null = null;
  firstByteAt: number | null = null;
  bytesOut = 0;
  /** An event stream or a WebSocket. */
  isStream = false;
  /** Of the latest answer that came from the upstream. */
  upstreamStatus: number | null = null;
  /** Reads the tokens of the answer; null where that cannot be done. */
  usage: UsageReader | CodedUsage | null = null;
  #upstreamMs = 0;
  #attemptAt: number | null = null;

  constructor(request: IncomingMessage, response: ServerResponse, target: RequestPath) {
    this.request = request;
    this.response = response;
    this.id = clientRequestId(request) ?? newRequestId();
    this.method = request.method ?? 'GET';
    this.path = target.path;
    this.query = target.query;
    this.isForward = target.isForward;
    this.dialect = dialectOf(target.path);
  }

  /** An attempt begins; how long it takes is the upstream's time. */
  beginAttempt(credential: string): void {
    this.attempts += 1;
    this.credentialName = credential;
    this.upstreamStatus = null;
    this.#attemptAt = performance.now();
  }

  /** The attempt under way is over, if there is one. */
  endAttempt(): void {
    if (this.#attemptAt === null) return;
    this.#upstreamMs += performance.now() - this.#attemptAt;
    this.#attemptAt = null;
  }

  /** Time that all attempts took; 0 when there was none. */
  get upstreamMs(): number {
    return this.#upstreamMs;
  }

  /** An attempt brought nothing, and another one follows. */
  noteFailover(cause: string): void {
    this.#failedAttempts.push({ credential: this.credentialName ?? '', cause });
  }

  /** One entry for each attempt but the last. */
  get failedAttempts(): readonly FailedAttempt[] {
    return this.#failedAttempts;
  }

  /** Bytes of the body that came from the client. */
  get bytesIn(): number {
    return this.intake?.bytes ?? 0;
  }
}
