// Reaches the upstream through the company's outbound proxy: a CONNECT tunnel per connection, TLS inside it.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Connector, type ConnectorOptions, deliver, tlsConnector } from './upstream-connector.ts';

/** A connector's options. */
export interface TunnelOptions extends ConnectorOptions {
  /** `http://` or `https://`, with user and password if the proxy wants them. */
  readonly proxyUrl: string;
}

/** The outbound proxy answered CONNECT with something else than 200. */
export class TunnelRefusedError extends Error {
  readonly code = 'outbound_proxy_refused';
  readonly status: number;

  constructor(status: number) {
    super(`the outbound proxy answered CONNECT with ${status}`);
    this.status = status;
  }
}

/** A connector that opens a tunnel first. */
export function tunnelConnector({ proxyUrl, timeoutMs, secureContext }: TunnelOptions): Connector {
  const proxy = new URL(proxyUrl);
  const headers = proxyAuthorization(proxy);
  // Not needed without an outbound proxy, so not loaded either.
  const opened = import('undici').then(
    ({ Pool }) => new Pool(proxy.origin, { connect: { timeout: timeoutMs }, headersTimeout: timeoutMs }),
  );
  const secure = tlsConnector({ timeoutMs, secureContext });
  return (target, onConnected) => {
    const port = target.port || (target.protocol === 'https:' ? '443' : '80');
    const authority = `${target.hostname}:${port}`;
    opened
      .then((tunnels) => tunnels.connect({ path: authority, headers: { host: authority, ...headers } }))
      .then(({ statusCode, socket }) => {
        socket.on('error', ignore);
        if (statusCode !== 200) {
          socket.destroy();
          onConnected(new TunnelRefusedError(statusCode), null);
        } else if (target.protocol === 'https:') secure(target, asSocket(socket), onConnected);
        else {
          const tunnel = asSocket(socket);
          onConnected(null, tunnel);
          deliver(tunnel, target);
        }
      })
      .catch((cause: unknown) => {
        onConnected(cause instanceof Error ? cause : new Error(String(cause)), null);
      });
  };
}

function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(plain).toString('base64')}` };
}

function asSocket(stream: Duplex): Socket {
  if (stream instanceof Socket) return stream;
  throw new TypeError('the tunnel is not a socket');
}

/** Whoever uses the socket next listens to its errors; until then one must not end the process. */
function ignore(): void {}
