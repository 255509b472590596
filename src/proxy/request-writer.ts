// Writes requests onto one connection to the upstream: head, and body in whichever form it is there.
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { KeptBody } from './kept-body.ts';
import { type RequestMessage, requestHead } from './request-message.ts';

/** What becomes of the writing. */
export interface WritingListener {
  /** Something has gone out. */
  onProgress(): void;
  /** The body was another one than was announced. */
  onMismatch(): void;
  /** The body broke off. */
  onBodyFault(cause: Error): void;
}

/** Up to this a head and its body go out as one text, latin1, for which node needs no memory of its own. */
const TEXT_BYTES = 16 * 1024;
/** Up to this a head and its body are copied into one write: cheaper than a vectored one. */
const COPIED_BODY_BYTES = 32 * 1024;
/** A large body goes out by this much at a time, with turns of the loop for others in between. */
const PIECE_BYTES = 256 * 1024;

export class RequestWriter {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #listener: WritingListener;
  /** What is being written; null when all of it is. */
  #writing: RequestMessage | null = null;

  constructor(socket: Socket, host: string, listener: WritingListener) {
    this.#socket = socket;
    this.#host = host;
    this.#listener = listener;
  }

  /** Whether the request is not all on its way yet. */
  get isWriting(): boolean {
    return this.#writing !== null;
  }

  write(message: RequestMessage): void {
    const { body } = message;
    const head = requestHead(message, this.#host);
    if (body.type === 'stream') {
      const { errored } = body.stream;
      if (errored !== null) {
        // While the connection was being opened; it would not say so again.
        this.#listener.onBodyFault(errored);
        return;
      }
      this.#writing = message;
      this.#socket.write(head, 'latin1');
      this.#writeStream(message, body.stream, body.length);
    } else if (body.type !== 'kept' || body.length === 0) this.#socket.write(head, 'latin1');
    else if (head.length + body.length <= TEXT_BYTES)
      this.#socket.write(head + body.bytes.toString('latin1'), 'latin1');
    else if (body.length <= COPIED_BODY_BYTES) this.#socket.write(joined(head, body.bytes));
    else {
      this.#writing = message;
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#writePiece(message, body, 0);
      this.#socket.uncork();
    }
  }

  /** Nothing more goes out. */
  stop(): void {
    const body = this.#writing?.body;
    this.#writing = null;
    if (body?.type === 'stream') body.stream.destroy();
  }

  #writePiece(message: RequestMessage, body: KeptBody, from: number): void {
    const to = from + PIECE_BYTES;
    if (to >= body.length) {
      this.#writing = null;
      this.#socket.write(body.bytes.subarray(from));
      return;
    }
    this.#socket.write(body.bytes.subarray(from, to), () =>
      setImmediate(() => {
        if (this.#writing !== message) return;
        this.#listener.onProgress();
        this.#writePiece(message, body, to);
      }),
    );
  }

  /** With a length as it is, else in chunks. */
  #writeStream(message: RequestMessage, stream: Readable, length: number | null): void {
    const socket = this.#socket;
    const isCurrent = (): boolean => this.#writing === message;
    let sent = 0;
    const onDrain = (): void => {
      this.#listener.onProgress();
      stream.resume();
    };
    socket.on('drain', onDrain);
    stream.on('data', (chunk: Buffer) => {
      if (!isCurrent()) return;
      this.#listener.onProgress();
      sent += chunk.length;
      if (length === null) {
        socket.cork();
        socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
        socket.write(chunk);
      }
      const hasRoom = length === null ? socket.write('\r\n', 'latin1') : socket.write(chunk);
      if (length === null) socket.uncork();
      if (!hasRoom) stream.pause();
    });
    stream.once('end', () => {
      socket.off('drain', onDrain);
      if (!isCurrent()) return;
      this.#writing = null;
      if (length === null) socket.write('0\r\n\r\n', 'latin1');
      else if (sent !== length) this.#listener.onMismatch();
    });
    stream.once('error', (cause: Error) => {
      socket.off('drain', onDrain);
      if (isCurrent()) this.#listener.onBodyFault(cause);
    });
  }
}

function joined(head: string, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}
