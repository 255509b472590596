// An upstream of which a test writes every byte: for answers that no HTTP server would send.
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Scope } from './flow-proxy.ts';
import { RawConnection } from './raw-connection.ts';

export class RawUpstream {
  readonly port: number;
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections: RawConnection[] = [];
  #onConnection: () => void = () => {};

  constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    this.url = `http://127.0.0.1:${port}/base`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#connections.push(new RawConnection(socket));
      this.#onConnection();
    });
  }

  /** The next connection that flow-proxy opens, or has opened. */
  async connection(): Promise<RawConnection> {
    for (;;) {
      const next = this.#connections.shift();
      if (next !== undefined) return next;
      await new Promise<void>((resolve) => {
        this.#onConnection = resolve;
      });
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export async function startRawUpstream(scope?: Scope): Promise<RawUpstream> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = new RawUpstream(server, portOf(server));
  scope?.after(() => upstream.close());
  return upstream;
}

/** An upstream that accepts connections and never reads from them. */
export async function startDeafUpstream(scope: Scope): Promise<{ readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (socket) =>
    sockets.add(socket.on('error', () => {})),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { url: `http://127.0.0.1:${portOf(server)}/base` };
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}
