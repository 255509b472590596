// Opens one connection to the upstream, plain or TLS, within a time limit. undici could do it, too, but to load it costs
// every worker 20 MB and a tenth of a second.
import net, { type Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import { ConnectionError } from './upstream-connection.ts';

/** Where to; the same that undici gives its connectors. */
export interface ConnectTarget {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  readonly servername?: string | null | undefined;
}

export type OnConnected = (...result: [cause: null, socket: Socket] | [cause: Error, socket: null]) => void;

/** Calls back once. */
export type Connector = (target: ConnectTarget, onConnected: OnConnected) => void;

export interface ConnectorOptions {
  readonly timeoutMs: number;
  /** Whom to trust; null is whom Node trusts. */
  readonly secureContext: SecureContext | null;
}

/** As undici has it: a peer that has gone without a word is noticed at last. */
const PROBE_AFTER_MS = 60_000;

/** A connector that goes straight there. */
export function directConnector(options: ConnectorOptions): Connector {
  const secure = tlsConnector(options);
  return (target, onConnected) => {
    if (target.protocol === 'https:') secure(target, undefined, onConnected);
    else {
      const socket = net.connect({ host: target.hostname, port: Number(target.port || 80) });
      settle(socket, 'connect', options.timeoutMs, onConnected);
    }
  };
}

/** Speaks TLS to the upstream, over a socket that leads there already or a new one; sessions are resumed. */
export function tlsConnector({
  timeoutMs,
  secureContext,
}: ConnectorOptions): (target: ConnectTarget, over: Socket | undefined, onConnected: OnConnected) => void {
  let session: Buffer | undefined;
  return ({ hostname, port, servername }, over, onConnected) => {
    const name = servername || (net.isIP(hostname) === 0 ? hostname : undefined);
    const socket = tls.connect({
      host: hostname,
      port: Number(port || 443),
      ALPNProtocols: ['http/1.1'],
      ...(name === undefined ? {} : { servername: name }),
      ...(secureContext === null ? {} : { secureContext }),
      ...(session === undefined ? {} : { session }),
      ...(over === undefined ? {} : { socket: over }),
    });
    socket.on('session', (latest) => {
      session = latest;
    });
    settle(socket, 'secureConnect', timeoutMs, onConnected);
  };
}

function settle(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeoutMs: number,
  onConnected: OnConnected,
): void {
  const timer = setTimeout(() => {
    socket.destroy(new ConnectionError('UND_ERR_CONNECT_TIMEOUT', `no connection within ${timeoutMs} ms`));
  }, timeoutMs);
  const onError = (cause: Error): void => {
    clearTimeout(timer);
    onConnected(cause, null);
  };
  socket.once('error', onError);
  socket.once(event, () => {
    clearTimeout(timer);
    socket.setNoDelay(true).setKeepAlive(true, PROBE_AFTER_MS);
    onConnected(null, socket);
    // Whoever has it now listens to its errors.
    socket.off('error', onError);
  });
}
