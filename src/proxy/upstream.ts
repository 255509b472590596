// The connections to the upstream: a keep-alive pool for exchanges, an agent for WebSocket upgrades, both direct or
// through the company's outbound proxy.
import { type AgentOptions, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import { tunnelConnector } from './outbound-tunnel.ts';
import type { Ticker } from './ticker.ts';
import { UpstreamConnections } from './upstream-connections.ts';
import { type Connector, directConnector } from './upstream-connector.ts';

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
  readonly connections: UpstreamConnections;
  /** For http-proxy's `ws` path; undefined when it may connect by itself. */
  readonly upgradeAgent: HttpAgent | undefined;
  /** Closes idle connections now and busy ones when their exchange ends. */
  close(): Promise<void>;
}

/** An idle connection is closed after this, before the upstream's own limit makes its close race our next request. */
const IDLE_CONNECTION_MS = 4_000;

/** Opens nothing yet. */
export function openUpstream(options: UpstreamOptions, ticker: Ticker): Upstream {
  const { origin, outboundProxyUrl } = options;
  const connect = connectorOf(options);
  const connections = new UpstreamConnections({ origin, connect, idleMs: IDLE_CONNECTION_MS, ticker });
  const isSecure = origin.startsWith('https:');
  const upgradeAgent = outboundProxyUrl === null ? undefined : agentOver(connect, isSecure);
  return { connections, upgradeAgent, close: () => connections.close() };
}

/** A client for requests beside the service, such as a check; over connections of the same kind. */
export async function openClient(options: UpstreamOptions): Promise<Dispatcher> {
  // Only here and for tunnels: a worker has no use for undici otherwise.
  const { Pool } = await import('undici');
  return new Pool(options.origin, { connect: connectorOf(options) });
}

function connectorOf({ ca, outboundProxyUrl, connectTimeoutMs }: UpstreamOptions): Connector {
  // Made once: to read all those certificates anew takes milliseconds for each connection.
  const secureContext = ca === null ? null : createSecureContext({ ca: trusting(ca) });
  const direct = { timeoutMs: connectTimeoutMs, secureContext };
  return outboundProxyUrl === null
    ? directConnector(direct)
    : tunnelConnector({ proxyUrl: outboundProxyUrl, ...direct });
}

/** Certificate authorities for node:tls, which takes a list in place of its own. */
export function trusting(ca: string): string[] {
  return [...rootCertificates, ca];
}

/** A node:http agent whose connections come from a connector of ours. */
function agentOver(connect: Connector, isSecure: boolean): HttpAgent {
  const createConnection = (
    target: { host?: string; port?: string | number; servername?: string },
    onConnected: (cause: Error | null, socket?: Duplex) => void,
  ): undefined => {
    const { host: hostname = '', port = '', servername } = target;
    const protocol = isSecure ? 'https:' : 'http:';
    connect({ hostname, port: String(port), protocol, servername }, (cause, socket) => {
      if (cause !== null) onConnected(cause);
      else onConnected(null, socket);
    });
  };
  const options: AgentOptions = { keepAlive: false };
  return Object.assign(isSecure ? new HttpsAgent(options) : new HttpAgent(options), { createConnection });
}
