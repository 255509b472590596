// A company's outbound proxy: opens CONNECT tunnels, wants a user and a password, or refuses.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Scope } from './flow-proxy.ts';
import { portOf } from './raw-upstream.ts';

export interface ConnectProxyOptions {
  readonly user?: string;
  readonly password?: string;
}

export class ConnectProxy {
  readonly port: number;
  /** Authorities that tunnels were asked for, granted or not. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(server: Server, { user, password }: ConnectProxyOptions) {
    this.#server = server;
    this.port = portOf(server);
    const wanted = user === undefined ? undefined : `Basic ${btoa(`${user}:${password}`)}`;
    server.on('connection', (socket: Socket) => this.#keep(socket));
    server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.asked.push(request.url ?? '');
      if (wanted === undefined || request.headers['proxy-authorization'] === wanted) {
        this.#tunnel(request.url ?? '', socket, head);
      } else {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      }
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #tunnel(authority: string, socket: Duplex, head: Buffer): void {
    const [host = '', port = ''] = authority.split(':');
    const target = this.#keep(connect(Number(port), host));
    target.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.write(head);
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
    target.once('close', () => socket.destroy());
    socket.once('close', () => target.destroy());
  }

  #keep<T extends Duplex>(socket: T): T {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

export async function startConnectProxy(options: ConnectProxyOptions, scope: Scope): Promise<ConnectProxy> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = new ConnectProxy(server, options);
  scope.after(() => proxy.close());
  return proxy;
}
