// The few paths that flow-proxy answers by itself; they are never forwarded and never need a credential.
import type { AccessName } from '../clients/access.ts';
import type { ClientRefusals } from '../clients/refusals.ts';
import type { Exchange } from './exchange.ts';
import { NOT_OF_LOCAL_ROUTES } from './protocol-errors.ts';
import { replyError, replyJson } from './reply.ts';

/** What the health routes report. */
export interface Health {
  readonly version: string;
  readonly uptimeMs: number;
  readonly workersReady: number;
  readonly workersWanted: number;
  readonly credentialsAvailable: number;
  readonly credentialsTotal: number;
  readonly isDraining: boolean;
  readonly clients: ClientHealth;
}

/** Who may come in, and how many were turned away. */
export interface ClientHealth {
  readonly access: AccessName;
  /** Number of client keys; null when none are wanted. */
  readonly keys: number | null;
  readonly refused: ClientRefusals;
}

export type HealthStatus = 'ok' | 'degraded' | 'unavailable';

const ROUTES = new Set(['/', '/health', '/healthz', '/readyz']);

/** Whether an exchange is ours to answer, whatever its method: a local route, not addressed to the upstream by name. */
export function isLocal({ path, isForward }: Exchange): boolean {
  return !isForward && ROUTES.has(path);
}

/** Whether a request target, as it came, is one of the local routes. */
export function isLocalTarget(target: string): boolean {
  return ROUTES.has(target.split('?', 1)[0] ?? '');
}

/** Whether it is a load balancer's question, which is answered whoever asks: it tells no more than yes or no. */
export function isProbe(exchange: Exchange): boolean {
  return isLocal(exchange) && (exchange.path === '/healthz' || exchange.path === '/readyz');
}

/**
 * `unavailable` means that no request can be served: no credential is left in the pool, or no new connection is taken.
 * `degraded` means that fewer workers or credentials can than should. Credentials that are all cooled are no more than
 * that: their clients get a 429 that says when to come back, where a replica that a load balancer has taken out could
 * only let connections be refused.
 */
export function statusOf(health: Health): HealthStatus {
  if (health.isDraining || health.credentialsTotal === 0) return 'unavailable';
  const isWhole =
    health.workersReady >= health.workersWanted && health.credentialsAvailable === health.credentialsTotal;
  return isWhole ? 'ok' : 'degraded';
}

/** Answers a local route. `/healthz` says alive as long as it can speak; `/health` and `/readyz` whether it can serve. */
export function answerLocally(exchange: Exchange, health: Health): void {
  exchange.route = 'local';
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
    replyError(exchange, NOT_OF_LOCAL_ROUTES, ['Allow', 'GET, HEAD']);
    return;
  }
  const status = statusOf(health);
  const servingStatus = status === 'unavailable' ? 503 : 200;
  switch (exchange.path) {
    case '/health':
      replyBody(exchange, servingStatus, healthBody(status, health));
      return;
    case '/readyz':
      replyBody(exchange, servingStatus, { ready: servingStatus === 200, status });
      return;
    case '/healthz':
      replyBody(exchange, 200, { alive: true });
      return;
    default:
      replyBody(exchange, 200, { name: 'flow-proxy', version: health.version, status });
  }
}

function healthBody(status: HealthStatus, health: Health): object {
  const { access, keys, refused } = health.clients;
  return {
    status,
    version: health.version,
    uptime: Math.round(health.uptimeMs / 1000),
    workers: { ready: health.workersReady, wanted: health.workersWanted },
    credentials: { available: health.credentialsAvailable, total: health.credentialsTotal },
    clients: { access, ...(keys === null ? {} : { keys }), refused },
  };
}

function replyBody(exchange: Exchange, status: number, body: object): void {
  replyJson(exchange, status, `${JSON.stringify(body)}\n`);
}
