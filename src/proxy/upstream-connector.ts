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
  /**
   * Gets what comes in, in place of the socket's `data` event: all sockets then share the memory that they read into,
   * which spares each of them a buffer for each read. The bytes are to be used, or copied, before it returns.
   */
  readonly onBytes?: ((bytes: Buffer) => void) | undefined;
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

/** The most that one read brings. */
export const READ_BYTES: number = 64 * 1024;
/** Node calls back before it reads again, into this or another socket's; so one is enough for all. */
const memory: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** A connector that goes straight there. */
export function directConnector(options: ConnectorOptions): Connector {
  const secure = tlsConnector(options);
  return (target, onConnected) => {
    if (target.protocol === 'https:') secure(target, undefined, onConnected);
    else {
      const { hostname: host, port } = target;
      const socket = net.connect({ host, port: Number(port || 80), ...readingFor(target) });
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
  return (target, over, onConnected) => {
    const { hostname, port, servername } = target;
    const name = servername || (net.isIP(hostname) === 0 ? hostname : undefined);
    const socket = tls.connect({
      host: hostname,
      port: Number(port || 443),
      ALPNProtocols: ['http/1.1'],
      ...(name === undefined ? {} : { servername: name }),
      ...(secureContext === null ? {} : { secureContext }),
      ...(session === undefined ? {} : { session }),
      // Over another socket Node reads in its own way.
      ...(over === undefined ? readingFor(target) : { socket: over }),
    });
    if (over !== undefined) deliver(socket, target);
    socket.on('session', (latest) => {
      session = latest;
    });
    settle(socket, 'secureConnect', timeoutMs, onConnected);
  };
}

/** The option of net.connect and tls.connect that makes them read so. */
function readingFor({ onBytes }: ConnectTarget): Pick<net.ConnectOpts, 'onread'> {
  if (onBytes === undefined) return {};
  const callback = (count: number): boolean => {
    onBytes(memory.subarray(0, count));
    return true;
  };
  return { onread: { buffer: memory, callback } };
}

/** For a socket that was opened by somebody else. */
export function deliver(socket: Socket, { onBytes }: ConnectTarget): void {
  if (onBytes !== undefined) socket.on('data', onBytes);
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
