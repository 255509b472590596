// HTTP at next to no cost, where a rig wants many exchanges of a machine that carries everything else as well: bodiless
// requests on one keep-alive connection, and an upstream that gives every request the same answer.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Scope } from '../harness/flow-proxy.ts';
import { portOf } from '../harness/raw-upstream.ts';

export interface LeanAnswer {
  readonly status: number;
  /** Ours, not the upstream's. */
  readonly requestId: string;
}

const END_OF_HEAD = '\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

/** One request at a time; another connection when the one before was ended. */
export class LeanClient {
  readonly #url: URL;
  readonly #request: string;
  #socket: Socket | null = null;
  #received = '';
  #onEvent: (failure?: Error) => void = () => {};

  constructor(url: string) {
    this.#url = new URL(url);
    this.#request = `GET ${this.#url.pathname} HTTP/1.1\r\nHost: ${this.#url.host}\r\n\r\n`;
  }

  /** Rejects when the connection breaks before the whole answer is there, or when that has no Content-Length. */
  get(): Promise<LeanAnswer> {
    this.#socket ??= this.#open();
    const answer = new Promise<LeanAnswer>((resolve, reject) => {
      this.#onEvent = (failure) => {
        const whole = failure === undefined ? this.#take() : undefined;
        if (whole !== undefined) resolve(whole);
        else if (failure !== undefined) reject(failure);
      };
    });
    this.#socket.write(this.#request);
    return answer;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true });
    this.#received = '';
    socket.setEncoding('latin1').on('data', (text) => {
      this.#received += String(text);
      this.#onEvent();
    });
    const onGone = (cause: Error): void => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#onEvent(cause);
    };
    socket.on('error', onGone).on('close', () => onGone(new Error('the connection was closed')));
    return socket;
  }

  #take(): LeanAnswer | undefined {
    const end = this.#received.indexOf(END_OF_HEAD);
    if (end < 0) return undefined;
    const head = this.#received.slice(0, end + 2);
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`no Content-Length: ${head}`);
    if (this.#received.length < end + END_OF_HEAD.length + Number(length)) return undefined;
    this.#received = '';
    this.#onEvent = () => {};
    if (/\r\nconnection: close\r\n/i.test(head)) {
      this.#socket?.destroy();
      this.#socket = null;
    }
    const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    return { status, requestId: /\r\nx-request-id: (\S+)/i.exec(head)?.[1] ?? '' };
  }
}

/** Answers 200 to every bodiless request. */
export async function startLeanUpstream(scope: Scope): Promise<{ readonly url: string }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (text) => {
      const requests = (rest + String(text)).split(END_OF_HEAD);
      rest = requests.pop() ?? '';
      socket.write(ANSWER.repeat(requests.length));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server)}` };
}
