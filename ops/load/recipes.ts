// What is asked in a load run. The first two cost nothing; a real upstream bills the others.

export interface Recipe {
  readonly name: string;
  readonly what: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON; null for none. */
  readonly body: string | null;
}

const chat = (stream: boolean): string =>
  JSON.stringify({
    model: 'gpt-4o-mini',
    max_tokens: 16,
    stream,
    messages: [{ role: 'user', content: 'Say hello.' }],
  });
const CHAT = '/v1/chat/completions';

export const RECIPES: readonly Recipe[] = [
  { name: 'health', what: 'answered by flow-proxy itself', method: 'GET', path: '/healthz', body: null },
  { name: 'models', what: 'a short answer of the upstream', method: 'GET', path: '/v1/models', body: null },
  { name: 'chat', what: 'a completion; billed', method: 'POST', path: CHAT, body: chat(false) },
  { name: 'stream', what: 'a streamed completion; billed', method: 'POST', path: CHAT, body: chat(true) },
];

/** Those that run unless others are asked for. */
export const FREE_RECIPES: readonly string[] = ['health', 'models'];

export interface Load {
  /** http://HOST:PORT. */
  readonly origin: string;
  readonly requests: number;
  readonly concurrency: number;
}

export interface Measured {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and requests without an answer. */
  readonly failed: number;
}
