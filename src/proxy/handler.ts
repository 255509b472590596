// The phases of an exchange, in the order they happen. Each either hands the exchange on or ends it; the last line
// of every exchange is its log line.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';
import { finishExchange } from './access-log.ts';
import type { Admission } from './admission.ts';
import { NO_FACTS, readBodyFacts } from './body-facts.ts';
import type { ErrorReply } from './dialect.ts';
import { Exchange } from './exchange.ts';
import type { ProxyPipeline } from './http-proxy.ts';
import { answerLocally, type Health, isLocal, isProbe } from './local-routes.ts';
import type { Refusal } from './refusal.ts';
import { replyError, replyRefusal } from './reply.ts';
import { type BodyBounds, NO_BODY, type RequestBody, takeBody } from './request-body.ts';
import { hasBody, headersForUpstream } from './request-headers.ts';
import type { BodyRewriter } from './rewrite/body-rewriter.ts';
import { type Removals, type RewriteRules, withoutParameters } from './rewrite/rules.ts';
import { type RequestPath, readRequestTarget, type Target } from './target.ts';

/** What the phases work with. */
export interface HandlerParts {
  readonly target: Target;
  readonly admission: Admission;
  readonly rules: RewriteRules;
  readonly rewriter: BodyRewriter;
  readonly bounds: BodyBounds;
  /** Whether conversations stay on one credential. */
  readonly hasAffinity: boolean;
  readonly pipeline: ProxyPipeline;
  readonly log: Logger;
  readonly health: () => Health;
}

/** Handles requests; knows nothing of connections or clusters. */
export class Handler {
  readonly #parts: HandlerParts;

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** Takes a request on. Nothing that goes wrong in it leaves this function. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const target = readRequestTarget(request.url ?? '', this.#parts.target);
    const exchange = new Exchange(request, response, 'code' in target ? nowhere(request) : target);
    response.once('close', () => {
      const status = response.headersSent ? response.statusCode : null;
      finishExchange(exchange, { status, isWhole: response.writableFinished }, this.#parts.log);
    });
    this.#guard(exchange, () => {
      const refusal = isProbe(exchange) ? null : this.#parts.admission.checkAddress(exchange);
      if (refusal !== null) replyRefusal(exchange, refusal);
      else if ('code' in target) replyError(exchange, target);
      else if (isLocal(exchange)) answerLocally(exchange, this.#parts.health());
      else this.#authenticate(exchange);
    });
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
    const { maxBytes, keepBytes } = this.#parts.bounds;
    const isWanted = mayRewrite(exchange, removals) || this.#parts.admission.readsModels(exchange);
    const bounds = { maxBytes, keepBytes: isWanted ? maxBytes : keepBytes };
    takeBody(exchange.request, bounds, (body) => {
      this.#guard(exchange, () => this.#withBody(exchange, body, removals));
    });
  }

  #withBody(exchange: Exchange, body: RequestBody, removals: Removals): void {
    exchange.body = body;
    if (body.type === 'tooLarge') this.#refuseBody(exchange);
    else if (body.type === 'cut') exchange.errorCode = 'client_left';
    else if (!exchange.response.destroyed) this.#admit(exchange, body, removals);
  }

  /** Model and limits of the client's key; they may take a question to the primary. */
  #admit(exchange: Exchange, body: RequestBody, removals: Removals): void {
    const onChecked = (refusal: Refusal | null): void => {
      if (refusal !== null) this.#turnAway(exchange, refusal);
      else if (body.type === 'kept' && mayRewrite(exchange, removals))
        this.#rewrite(exchange, body.bytes, removals);
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

  #rewrite(exchange: Exchange, original: Buffer, removals: Removals): void {
    this.#parts.rewriter.rewrite(
      original,
      removals.body,
      (bytes) => this.#guard(exchange, () => this.#forward(exchange, { type: 'kept', bytes })),
      (cause) => this.#fail(exchange, cause),
    );
  }

  #forward(exchange: Exchange, body: RequestBody): void {
    exchange.body = body;
    this.#readFacts(exchange);
    if (body.type === 'stream' && body.length !== null) {
      exchange.headers = [...exchange.headers, 'Content-Length', String(body.length)];
    }
    if (exchange.response.destroyed) return;
    this.#parts.pipeline.forward(exchange);
  }

  /** Which model, and which conversation: what cooldowns and affinity go by. */
  #readFacts(exchange: Exchange): void {
    const { body, request } = exchange;
    const isPlain = body.type === 'kept' && request.headers['content-encoding'] === undefined;
    const facts = isPlain ? readBodyFacts(body.bytes) : NO_FACTS;
    exchange.model = facts.model;
    if (!this.#parts.hasAffinity) return;
    const session = request.headers['x-claude-code-session-id'];
    exchange.affinityKey = typeof session === 'string' ? session : (facts.userId ?? facts.promptCacheKey);
  }

  #refuseBody(exchange: Exchange): void {
    const megabytes = Math.floor(this.#parts.bounds.maxBytes / 1024 / 1024);
    const message = `The request body is larger than ${megabytes} MB (FLOW_PROXY_MAX_BODY_MB).`;
    const error: ErrorReply = { status: 413, code: 'body_too_large', message };
    // What is left of the body is not read: the connection cannot be used again.
    exchange.response.shouldKeepAlive = false;
    replyError(exchange, error);
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
    exchange.errorCode = 'internal_error';
    if (exchange.response.headersSent) exchange.response.destroy();
    else
      replyError(exchange, {
        status: 500,
        code: 'internal_error',
        message: 'flow-proxy failed on this request.',
      });
  }
}

/** A body in another encoding than plain bytes is not rewritten: it is sent on as it is. */
function mayRewrite({ request }: Exchange, { body }: Removals): boolean {
  if (body.length === 0) return false;
  const encoding = request.headers['content-encoding'];
  return encoding === undefined || encoding.toLowerCase() === 'identity';
}

/** For the log line of a request whose target could not be read: its path may hold anything. */
function nowhere({ url = '' }: IncomingMessage): RequestPath {
  const path = url.split(/[?#]/, 1)[0] ?? '';
  return { path: path.replace(/\/\/[^/]*@/, '//'), query: '', isForward: true };
}
