// One TCP connection whose exact bytes a test writes and reads.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { within } from './eventually.ts';

const READ_MS = 30_000;

/** A message as it was on the wire. */
export interface RawMessage {
  /** Start line and headers, without the empty line. */
  readonly head: string;
  readonly body: Buffer;
}

export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #onChange: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#onChange();
    });
    const ended = (): void => {
      this.#hasEnded = true;
      this.#onChange();
    };
    socket.on('end', ended).on('close', ended).on('error', ended);
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Received and not yet read. */
  get received(): Buffer {
    return this.#received;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Bytes that were written and are not with the kernel yet. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Writes lines with CRLF, and the empty line that ends a head. */
  writeHead(...lines: readonly string[]): void {
    this.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Reads through a mark; rejects when the connection ends before. */
  async readThrough(mark: string): Promise<Buffer> {
    const at = await this.#until(`"${mark}"`, () => {
      const found = this.#received.indexOf(mark);
      return found < 0 ? undefined : found + Buffer.byteLength(mark);
    });
    return this.#take(at);
  }

  /** Reads so many bytes. */
  async readBytes(count: number): Promise<Buffer> {
    await this.#until(`${count} bytes`, () => (this.#received.length >= count ? count : undefined));
    return this.#take(count);
  }

  /** Reads a message: its head, and a body of its Content-Length (none without one). */
  async readMessage(): Promise<RawMessage> {
    const head = (await this.readThrough('\r\n\r\n')).toString('latin1').slice(0, -4);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    return { head, body: await this.readBytes(length) };
  }

  /** Reads until the other side ends the connection. */
  async readToEnd(): Promise<Buffer> {
    await within('the end of the connection', READ_MS, this.#ended());
    return this.#take(this.#received.length);
  }

  /** Sends FIN. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Sends RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async #ended(): Promise<void> {
    while (!this.#hasEnded) await this.#changed();
  }

  async #until(what: string, probe: () => number | undefined): Promise<number> {
    const looking = async (): Promise<number> => {
      for (;;) {
        const found = probe();
        if (found !== undefined) return found;
        if (this.#hasEnded) throw new Error(`the connection ended before ${what}: ${this.#received}`);
        await this.#changed();
      }
    };
    return within(what, READ_MS, looking());
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }
}
