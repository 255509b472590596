// Which route answers which method and path, and what it wants of the body.
import { countTokens, messages } from './anthropic.ts';
import { transcriptions } from './audio.ts';
import type { Handler } from './exchange.ts';
import { listModels } from './models.ts';
import { chatCompletions, embeddings, images } from './openai.ts';
import { bytes, echo, sseScript } from './probes.ts';
import { responses } from './responses.ts';

export interface Route {
  readonly method: 'GET' | 'POST' | '*';
  /** `json`: parsed; `bytes`: kept whole; `count`: only counted and hashed. */
  readonly takes: 'json' | 'bytes' | 'count';
  readonly handle: Handler;
}

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/v1/models', { method: 'GET', takes: 'count', handle: listModels }],
  ['/v1/chat/completions', { method: 'POST', takes: 'json', handle: chatCompletions }],
  ['/v1/messages', { method: 'POST', takes: 'json', handle: messages }],
  ['/v1/messages/count_tokens', { method: 'POST', takes: 'json', handle: countTokens }],
  ['/v1/embeddings', { method: 'POST', takes: 'json', handle: embeddings }],
  ['/v1/responses', { method: 'POST', takes: 'json', handle: responses }],
  ['/v1/images/generations', { method: 'POST', takes: 'json', handle: images }],
  ['/v1/audio/transcriptions', { method: 'POST', takes: 'bytes', handle: transcriptions }],
  ['/v1/echo', { method: '*', takes: 'count', handle: echo }],
  ['/v1/bytes', { method: 'GET', takes: 'count', handle: bytes }],
  ['/v1/sse-script', { method: 'POST', takes: 'json', handle: sseScript }],
]);

const NOT_FOUND = refusal(404, 'Not Found');
const WRONG_METHOD = refusal(405, 'Method Not Allowed');

/** The route of a request; a route that refuses, with 404 or 405, when there is none. */
export function routeFor(method: string, path: string): Route {
  const route = ROUTES.get(path);
  if (route === undefined) return NOT_FOUND;
  return route.method === '*' || route.method === method ? route : WRONG_METHOD;
}

function refusal(status: number, detail: string): Route {
  return { method: '*', takes: 'count', handle: ({ answer }) => answer.json(status, { detail }) };
}
