// What a client reads that is turned away at the door, and what the log says of it beyond that.
import type { ErrorReply } from './dialect.ts';
import type { GateVerdict } from './limit-gate.ts';

/** Why a client may not go on. */
export interface Refusal {
  readonly error: ErrorReply;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  /** For the log only. */
  readonly detail: string | null;
}

/** Of the verdicts of the gate, those that turn away. */
export type NoEntry = Extract<GateVerdict, { type: 'refused' | 'unanswered' }>;

export function addressRefused(address: string | undefined): Refusal {
  const message = `Clients at ${address ?? 'an unknown address'} may not use this proxy (FLOW_PROXY_ALLOWED_CLIENTS).`;
  return refusal(403, 'client_not_allowed', message, [], from(address));
}

export function keyRefused(hasShownOne: boolean, address: string | undefined): Refusal {
  const how = 'send a client key as "Authorization: Bearer KEY" or "x-api-key: KEY"';
  const [code, message] = hasShownOne
    ? ['invalid_client_key', `The client key is not valid; ${how}.`]
    : ['missing_client_key', `This proxy wants a client key; ${how}.`];
  return refusal(401, code, message, ['WWW-Authenticate', 'Bearer realm="flow-proxy"'], from(address));
}

export function modelRefused(client: string, model: string): Refusal {
  return refusal(403, 'model_not_allowed', `The client key "${client}" may not use the model "${model}".`);
}

export function modelUnreadable(client: string): Refusal {
  const message = `The client key "${client}" is for certain models only, and this request does not say readably which one it wants: that takes an uncompressed JSON body, or the query parameter "model" for a WebSocket.`;
  return refusal(403, 'model_unreadable', message);
}

export function limitRefused(client: string, verdict: NoEntry): Refusal {
  if (verdict.type === 'unanswered') {
    const message = 'The limits of this client key cannot be checked at the moment.';
    return refusal(503, 'client_limits_unavailable', message, retryAfter(1));
  }
  const seconds = Math.max(1, Math.ceil(verdict.retryAfterMs / 1000));
  const { most } = verdict;
  const [code, limit] =
    verdict.limit === 'concurrent'
      ? ['client_concurrency_limited', `${most} requests at a time`]
      : ['client_rate_limited', `${most} requests per minute`];
  const message = `The client key "${client}" allows ${limit}; try again in ${seconds} s.`;
  return refusal(429, code, message, retryAfter(seconds));
}

function refusal(
  status: number,
  code: string,
  message: string,
  headers: readonly string[] = [],
  detail: string | null = null,
): Refusal {
  return { error: { status, code, message }, headers, detail };
}

function retryAfter(seconds: number): readonly string[] {
  return ['Retry-After', String(seconds)];
}

function from(address: string | undefined): string | null {
  return address === undefined ? null : `from ${address}`;
}
