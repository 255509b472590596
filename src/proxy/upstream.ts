// The connections to the upstream: a keep-alive pool for exchanges, an agent for WebSocket upgrades, both direct or
// through the company's outbound proxy. undici's connections are known only here; attempt.ts dispatches on them.
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { tunnelConnector } from './outbound-tunnel.ts';

/** How to reach the upstream. */
export interface UpstreamOptions {
  readonly origin: string;
  /** PEM text of certificate authorities to trust besides Node's own, or null. */
  readonly ca: string | null;
  /** HTTP proxy to tunnel through (CONNECT), or null for a direct connection. */
  readonly outboundProxyUrl: string | null;
  readonly connectTimeoutMs: number;
}

/** Both ways to the one upstream. */
export interface Upstream {
  readonly dispatcher: Dispatcher;
  /** For http-proxy's `ws` path; undefined when it may connect by itself. */
  readonly upgradeAgent: HttpAgent | undefined;
  /** Closes idle connections now and busy ones when their exchange ends. */
  close(): Promise<void>;
}

/** An idle connection is closed after this, before the upstream's own limit makes its close race our next request. */
const IDLE_CONNECTION_MS = 4_000;

/**
 * Opens nothing yet. The pool is unbounded on purpose: each stream holds a connection for minutes, and a bound below
 * the number of streams would queue requests behind them.
 */
export function openUpstream(options: UpstreamOptions): Upstream {
  const { origin, ca, outboundProxyUrl, connectTimeoutMs } = options;
  const tls = { timeout: connectTimeoutMs, ...(ca === null ? {} : { ca: trusting(ca) }) };
  const connect =
    outboundProxyUrl === null
      ? buildConnector(tls)
      : tunnelConnector({ proxyUrl: outboundProxyUrl, timeoutMs: connectTimeoutMs, tls });
  const dispatcher = new Pool(origin, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    connect,
  });
  const isSecure = origin.startsWith('https:');
  const upgradeAgent = outboundProxyUrl === null ? undefined : agentOver(connect, isSecure);
  return { dispatcher, upgradeAgent, close: () => dispatcher.close() };
}

/** Certificate authorities for node:tls, which takes a list in place of its own. */
export function trusting(ca: string): string[] {
  return [...rootCertificates, ca];
}

/** A node:http agent whose connections come from an undici connector. */
function agentOver(connect: buildConnector.connector, isSecure: boolean): HttpAgent {
  const createConnection = (
    target: { host?: string; port?: string | number; servername?: string },
    onConnected: (cause: Error | null, socket?: Duplex) => void,
  ): undefined => {
    const { host: hostname = '', port = '', servername } = target;
    const protocol = isSecure ? 'https:' : 'http:';
    connect(
      { hostname, host: hostname, port: String(port), protocol, ...(servername ? { servername } : {}) },
      (cause, socket) => {
        if (cause !== null) onConnected(cause);
        else onConnected(null, socket);
      },
    );
  };
  const options: AgentOptions = { keepAlive: false };
  return Object.assign(isSecure ? new HttpsAgent(options) : new HttpAgent(options), { createConnection });
}
