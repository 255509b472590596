// An upstream that keeps the exact bytes it gets and cuts them into messages by a small strict reader of its own, so
// that a request nobody sent would be seen. It answers by whatever bytes a test gives it.
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import type { Scope } from './flow-proxy.ts';
import { portOf } from './raw-upstream.ts';

/** One message as it was on the wire; headers that differ from run to run are made the same. */
export interface RecordedMessage {
  /** Request line and headers, without the empty line. */
  readonly head: string;
  /** As sent: chunked ones with their framing. */
  readonly body: string;
  readonly path: string;
}

/** What is sent for a message: bytes, or with `thenEnd` bytes and a FIN; null is nothing (yet). */
export type Answer = string | { readonly bytes: string; readonly thenEnd: true } | null;

export const OK: string = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export class RecordingUpstream {
  readonly url: string;
  /** Every message so far, in the order they were complete. */
  readonly messages: RecordedMessage[] = [];
  /** What to answer; settable. */
  answer: (message: RecordedMessage) => Answer = () => OK;
  readonly #server: Server;
  readonly #connections = new Map<Socket, string>();

  constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${portOf(server)}/base`;
    server.on('connection', (socket) => this.#follow(socket));
  }

  /** Bytes that are no whole message, of all connections. */
  get rest(): string {
    return [...this.#connections.values()].join('');
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Resolves when so many messages are there. */
  async received(count: number): Promise<readonly RecordedMessage[]> {
    await eventually(`message ${count} at the upstream`, () => this.messages.length >= count || undefined);
    return this.messages;
  }

  /** Resolves when the bytes that are no whole message satisfy the predicate. */
  async waitForRest(predicate: (rest: string) => boolean): Promise<void> {
    await eventually('such bytes at the upstream', () => predicate(this.rest) || undefined);
  }

  /** Resolves when fewer connections than these are left. */
  async connectionsBelow(count: number): Promise<void> {
    await eventually('the end of a connection', () => this.openConnections < count || undefined);
  }

  /** Sends late bytes on every connection that is open. */
  async sendToAll(bytes: string): Promise<void> {
    for (const socket of this.#connections.keys()) socket.write(bytes);
    await setImmediate();
  }

  forget(): void {
    this.messages.length = 0;
    this.answer = () => OK;
  }

  async close(): Promise<void> {
    for (const socket of this.#connections.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #follow(socket: Socket): void {
    this.#connections.set(socket, '');
    socket.on('error', () => {}).once('close', () => this.#connections.delete(socket));
    socket.on('data', (bytes: Buffer) => {
      let rest = (this.#connections.get(socket) ?? '') + bytes.toString('latin1');
      for (let length = lengthOfMessage(rest); length !== null; length = lengthOfMessage(rest)) {
        this.#onMessage(socket, rest.slice(0, length));
        rest = rest.slice(length);
      }
      this.#connections.set(socket, rest);
    });
  }

  #onMessage(socket: Socket, raw: string): void {
    const end = raw.indexOf('\r\n\r\n');
    const head = raw
      .slice(0, end)
      .replace(/^authorization: Bearer .+$/im, 'Authorization: LEASED')
      .replace(/^host: 127\.0\.0\.1:\d+$/m, 'host: UPSTREAM');
    const message = { head, body: raw.slice(end + 4), path: head.split(' ')[1] ?? '' };
    this.messages.push(message);
    const answer = this.answer(message);
    if (answer === null) return;
    if (typeof answer === 'string') socket.write(answer, 'latin1');
    else socket.end(answer.bytes, 'latin1');
  }
}

export async function startRecordingUpstream(scope?: Scope): Promise<RecordingUpstream> {
  // With Nagle's algorithm bytes that nobody has asked for would wait for an acknowledgement, up to 40 ms.
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = new RecordingUpstream(server);
  scope?.after(() => upstream.close());
  return upstream;
}

/** The content of a chunked body that is whole. */
export function withoutChunks(body: string): string {
  let content = '';
  for (let rest = body; ; ) {
    const [line = '', size = ''] = /^([\da-f]+)\r\n/i.exec(rest) ?? [];
    const length = Number.parseInt(size, 16);
    if (!(length > 0)) return content;
    content += rest.slice(line.length, line.length + length);
    rest = rest.slice(line.length + length + 2);
  }
}

/** Length of the whole message that the bytes begin with; null when there is none yet. */
function lengthOfMessage(bytes: string): number | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.slice(0, end + 2);
  const start = end + 4;
  if (/^transfer-encoding: chunked\r$/im.test(head)) return endOfChunks(bytes, start);
  const length = Number(/^content-length: (\d+)\r$/im.exec(head)?.[1] ?? 0);
  return bytes.length >= start + length ? start + length : null;
}

function endOfChunks(bytes: string, start: number): number | null {
  let at = start;
  for (;;) {
    const size = /^([\da-f]+)\r\n/i.exec(bytes.slice(at, at + 20));
    if (size === null) return null;
    const length = Number.parseInt(size[1] ?? '', 16);
    at += size[0].length + length + 2;
    if (bytes.length < at) return null;
    if (length === 0) return at;
  }
}
