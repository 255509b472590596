// The socket at which systemd would listen: a real one, for unix datagrams, in a folder of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DgramSocket } from 'node-unix-socket';
import { eventually } from './eventually.ts';

export class NotifyReceiver {
  readonly path: string;
  /** Every line of every message so far, in order. */
  readonly lines: string[] = [];

  readonly #socket: DgramSocket;

  constructor(path: string, socket: DgramSocket) {
    this.path = path;
    this.#socket = socket;
    socket.on('data', (message: Buffer) => this.lines.push(...message.toString().split('\n')));
  }

  /** Resolves with the first line from number `from` on that the pattern matches. */
  async waitFor(pattern: RegExp, from = 0): Promise<string> {
    return eventually(`a message ${pattern} among ${this.lines.length}`, () =>
      this.lines.slice(from).find((line) => pattern.test(line)),
    );
  }

  async close(): Promise<void> {
    this.#socket.close();
    await rm(dirname(this.path), { recursive: true });
  }
}

/** The caller closes it, after whoever sends. */
export async function openNotifyReceiver(): Promise<NotifyReceiver> {
  const path = join(await mkdtemp(join(tmpdir(), 'flow-proxy-notify-')), 'notify');
  const socket = new DgramSocket();
  socket.bind(path);
  return new NotifyReceiver(path, socket);
}
