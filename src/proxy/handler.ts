// The phases of an exchange, in the order they happen. Each either hands the exchange on or ends it; the last line
// of every exchange is its log line.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import type { AccessLog } from './access-log.ts';
import type { Admission } from './admission.ts';
import type { BodyFacts } from './body-facts.ts';
import type { ExchangeEnds } from './client-connection.ts';
import { type Cors, preflightHeaders } from './cors.ts';
import type { ErrorReply } from './dialect.ts';
import { Exchange } from './exchange.ts';
import type { ProxyPipeline } from './http-proxy.ts';
import { KeptBody } from './kept-body.ts';
import { answerLocally, type Health, isLocal, isProbe } from './local-routes.ts';
import { INTERNAL_ERROR, ORIGIN_REFUSED, RETRY_SOON } from './protocol-errors.ts';
import type { Refusal } from './refusal.ts';
import { replyEmpty, replyError, replyRefusal } from './reply.ts';
import { type BodyBounds, BodyIntake, NO_BODY, type RequestBody } from './request-body.ts';
import { factsOf } from './request-facts.ts';
import { checkHead } from './request-head.ts';
import { hasBody, headersForUpstream } from './request-headers.ts';
import type { BodyRewriter } from './rewrite/body-rewriter.ts';
import { type Removals, type RewriteRules, withoutParameters } from './rewrite/rules.ts';
import { type RequestPath, readRequestTarget, type Target, unreadablePath } from './target.ts';
import type { Ticker } from './ticker.ts';
import { readRestAfter } from './unread-body.ts';

/** What the phases work with. */
export interface HandlerParts {
  readonly target: Target;
  readonly admission: Admission;
  readonly rules: RewriteRules;
  readonly rewriter: BodyRewriter;
  readonly bounds: BodyBounds;
  readonly ticker: Ticker;
  readonly cors: Cors;
  /** Why a request on this connection cannot be worked on now; null when it can. */
  readonly overload: (socket: Socket) => ErrorReply | null;
  /** Whether conversations stay on one credential. */
  readonly hasAffinity: boolean;
  readonly pipeline: ProxyPipeline;
  readonly accessLog: AccessLog;
  readonly health: () => Health;
}

/** Handles requests; knows nothing of connections or clusters. */
export class Handler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Takes a request on. Nothing that goes wrong in it leaves this function. */
  handle(request: IncomingMessage, response: ServerResponse): ExchangeEnds {
    const raw = request.url ?? '';
    const target = readRequestTarget(raw, this.#parts.target);
    const exchange = new Exchange(request, response, 'code' in target ? unreadablePath(raw) : target);
    exchange.cors = this.#parts.cors.headersFor(request);
    if (hasBody(request)) readRestAfter(request, response);
    // Else node reads to the end of nothing once the response is out, in five ticks: see ClientConnection#letGo.
    else request.read(0);
    response.on('close', () => this.#onClosed(exchange));
    this.#guard(exchange, () => this.#accept(exchange, target));
    return {
      breakOff: (error) => this.#breakOff(exchange, error),
      cutOff: (error) => this.#cutOff(exchange, error),
    };
  }

  #onClosed(exchange: Exchange): void {
    const { response, forwarding } = exchange;
    const status = response.headersSent ? response.statusCode : null;
    this.#parts.accessLog.end(exchange, { status, isWhole: response.writableFinished });
    forwarding?.onClosed();
  }

  #accept(exchange: Exchange, target: RequestPath | ErrorReply): void {
    const { admission, cors, overload, health } = this.#parts;
    const { request } = exchange;
    const malformed = checkHead(request);
    const refusal = isProbe(exchange) ? null : admission.checkAddress(exchange);
    if (malformed !== null) this.#refuse(exchange, malformed);
    else if (refusal !== null) replyRefusal(exchange, refusal);
    else if ('code' in target) replyError(exchange, target);
    else if (cors.isPreflight(request)) this.#answerPreflight(exchange);
    else if (isLocal(exchange)) answerLocally(exchange, health());
    else {
      const excess = overload(request.socket);
      if (excess === null) this.#authenticate(exchange);
      else replyError(exchange, excess, RETRY_SOON);
    }
  }

  /** It shows no key and never could: browsers send none along. */
  #answerPreflight(exchange: Exchange): void {
    const { request } = exchange;
    exchange.route = 'local';
    if (this.#parts.cors.allows(request.headers.origin ?? '')) {
      replyEmpty(exchange, 204, preflightHeaders(request));
    } else replyError(exchange, ORIGIN_REFUSED);
  }

  /** By the head alone: nothing of the body is taken in for a client without a key. */
  #authenticate(exchange: Exchange): void {
    const refusal = this.#parts.admission.identify(exchange);
    if (refusal === null) this.#prepare(exchange);
    else replyRefusal(exchange, refusal);
  }

  #prepare(exchange: Exchange): void {
    const removals = this.#parts.rules.removalsFor(exchange.path);
    exchange.headers = headersForUpstream(exchange.request, removals.headers);
    exchange.query = withoutParameters(exchange.query, removals.query);
    if (!hasBody(exchange.request)) {
      this.#withBody(exchange, NO_BODY, removals);
      return;
    }
    const { ticker, bounds: own } = this.#parts;
    const isWanted = mayRewrite(exchange, removals) || this.#parts.admission.readsModels(exchange);
    const bounds = isWanted ? { ...own, keepBytes: own.maxBytes } : own;
    exchange.intake = new BodyIntake(exchange.request, bounds, ticker, (body) => {
      this.#guard(exchange, () => this.#withBody(exchange, body, removals));
    });
    exchange.intake.start(exchange.response);
  }

  #withBody(exchange: Exchange, body: RequestBody, removals: Removals): void {
    exchange.body = body;
    if (body.type === 'refused') this.#refuse(exchange, body.error);
    else if (body.type === 'cut') exchange.errorCode = 'client_left';
    else if (!exchange.response.destroyed) this.#admit(exchange, body, removals);
  }

  /** Model and limits of the client's key; they may take a question to the primary. */
  #admit(exchange: Exchange, body: RequestBody, removals: Removals): void {
    const onChecked = (refusal: Refusal | null): void => {
      if (refusal !== null) this.#turnAway(exchange, refusal);
      else if (body.type === 'kept' && mayRewrite(exchange, removals))
        this.#rewrite(exchange, body, removals);
      else this.#forward(exchange, body);
    };
    this.#parts.admission.enter(exchange, exchange.response, (refusal) =>
      this.#guard(exchange, () => onChecked(refusal)),
    );
  }

  #turnAway(exchange: Exchange, refusal: Refusal): void {
    // A body that was only partly read leaves its rest on the connection.
    if (exchange.body.type === 'stream') exchange.response.shouldKeepAlive = false;
    replyRefusal(exchange, refusal);
  }

  #rewrite(exchange: Exchange, original: KeptBody, removals: Removals): void {
    this.#parts.rewriter.rewrite(
      original,
      removals.body,
      (bytes, facts) => this.#guard(exchange, () => this.#forward(exchange, new KeptBody([bytes]), facts)),
      (cause) => this.#fail(exchange, cause),
    );
  }

  #forward(exchange: Exchange, body: RequestBody, facts: BodyFacts | null = null): void {
    exchange.body = body;
    this.#useFacts(exchange, facts ?? factsOf(exchange));
    if (exchange.response.destroyed) return;
    this.#parts.pipeline.forward(exchange);
  }

  /** Which model, and which conversation: what cooldowns and affinity go by. */
  #useFacts(exchange: Exchange, facts: BodyFacts): void {
    exchange.model = facts.model;
    if (!this.#parts.hasAffinity) return;
    const session = exchange.request.headers['x-claude-code-session-id'];
    const keys = [typeof session === 'string' ? session : null, facts.userId, facts.promptCacheKey];
    exchange.affinityKey = keys.find((key) => key !== null && key !== '') ?? null;
  }

  /** What follows on the connection cannot be told from what has come: it cannot be used again. */
  #refuse(exchange: Exchange, error: ErrorReply): void {
    exchange.response.shouldKeepAlive = false;
    replyError(exchange, error);
  }

  /** The rest of the request is malformed. */
  #breakOff(exchange: Exchange, error: ErrorReply): void {
    const { intake, response, request } = exchange;
    if (response.headersSent) request.socket.destroy();
    else if (intake !== null) intake.refuse(error);
    else this.#refuse(exchange, error);
  }

  /** The service wants to end, or this worker. */
  #cutOff(exchange: Exchange, error: ErrorReply): void {
    const { response, request } = exchange;
    if (exchange.forwarding !== null) exchange.forwarding.cutOff(error);
    else if (response.headersSent) request.socket.destroy();
    else this.#refuse(exchange, error);
  }

  #guard(exchange: Exchange, phase: () => void): void {
    try {
      phase();
    } catch (cause) {
      this.#fail(exchange, cause);
    }
  }

  #fail(exchange: Exchange, cause: unknown): void {
    exchange.errorDetail = messageOf(cause);
    exchange.errorCode = INTERNAL_ERROR.code;
    if (exchange.response.headersSent) exchange.response.destroy();
    else replyError(exchange, INTERNAL_ERROR);
  }
}

/** A body in another encoding than plain bytes is not rewritten: it is sent on as it is. */
function mayRewrite({ request }: Exchange, { body }: Removals): boolean {
  if (body.length === 0) return false;
  const encoding = request.headers['content-encoding'];
  return encoding === undefined || encoding.toLowerCase() === 'identity';
}
