// One answer on its way to the client: head, structural events, content chunks, end, and the outcome it had.
// A fault that strikes during delivery strikes here; one that replaces the answer is misbehave.ts's.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Connections } from './connections.ts';
import type { Fault } from './faults.ts';
import { pause } from './pause.ts';
import type { Recording } from './record.ts';
import { dribbleHead } from './slow-head.ts';

export type DeliveryFault = Extract<
  Fault,
  { readonly type: 'stall' | 'cut' | 'reset' | 'slowHeaders' | 'badLength' }
>;

/** Unwinds a route whose answer has ended early: the client left or a fault struck. */
export class AnswerOver extends Error {}

const EXTRA_BYTES = 100;
const LENGTH_OF_A_STREAM = 1_000_000;

export class Answer {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #connections: Connections;
  readonly #recording: Recording;
  /** Where the body goes: the response, or the bare socket after a slow head. */
  #sink: Writable;
  #fault: DeliveryFault | null = null;
  #chunks = 0;
  #bytes = 0;
  #gone = false;

  constructor(response: ServerResponse, socket: Socket, connections: Connections, recording: Recording) {
    this.#response = response;
    this.#socket = socket;
    this.#connections = connections;
    this.#recording = recording;
    this.#sink = response;
    response.once('close', () => {
      this.#gone = true;
      recording.finish(this.#sink.writableFinished ? 'completed' : 'aborted');
    });
  }

  /** Makes the fault strike while this answer is delivered. */
  deliverWith(fault: DeliveryFault): void {
    this.#fault = fault;
  }

  /** Sends a JSON answer whole. */
  async json(status: number, body: unknown, headers: OutgoingHttpHeaders = {}): Promise<void> {
    await this.whole(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
  }

  /** Sends a body whole. It has no chunks: a fault after some chunks strikes after half of it. */
  async whole(status: number, body: string, headers: OutgoingHttpHeaders): Promise<void> {
    const fault = this.#fault;
    const head = { ...headers, 'content-length': Buffer.byteLength(body) };
    if (fault === null) {
      this.#checkPresence();
      this.#recording.update({ status });
      this.#response.writeHead(status, head).end(body);
      return;
    }
    await this.open(status, head);
    if ('afterChunks' in fault && fault.afterChunks !== undefined) {
      await this.write(body.slice(0, Math.ceil(body.length / 2)));
      await this.#strike(fault);
    }
    await this.write(body);
    await this.end();
  }

  /** Sends a head; a body of chunks follows. */
  async open(status: number, headers: OutgoingHttpHeaders): Promise<void> {
    this.#checkPresence();
    this.#recording.update({ status });
    const fault = this.#fault;
    if (fault?.type === 'slowHeaders') {
      await dribbleHead(this.#socket, status, headers, fault.intervalMs);
      this.#sink = this.#socket;
      return;
    }
    this.#response.writeHead(status, fault?.type === 'badLength' ? overstated(headers, fault) : headers);
    await this.#strikeAtByte(0);
  }

  /** Sends a piece that no fault counts as a chunk, such as the opening events of a stream. */
  async write(data: string | Uint8Array): Promise<void> {
    this.#checkPresence();
    const piece = typeof data === 'string' ? Buffer.from(data) : data;
    const limit = this.#fault?.type === 'cut' ? this.#fault.afterBytes : undefined;
    if (limit !== undefined && this.#bytes + piece.length >= limit) {
      this.#sink.write(piece.subarray(0, limit - this.#bytes));
      await this.#strikeAtByte(limit);
    }
    this.#bytes += piece.length;
    if (!this.#sink.write(piece)) await this.#drained();
  }

  /** Sends a content chunk, after the pause that is due between two chunks. */
  async chunk(data: string | Uint8Array, intervalMs = 0): Promise<void> {
    if (this.#chunks > 0) await pause(intervalMs);
    await this.#strikeAtChunk();
    await this.write(data);
    this.#chunks += 1;
    this.#recording.update({ chunksSent: this.#chunks });
    await this.#strikeAtChunk();
  }

  /** Resolves when everything written has been handed to the system. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write('', () => resolve());
    });
  }

  async end(): Promise<void> {
    this.#checkPresence();
    if (this.#fault?.type === 'badLength') {
      this.#recording.finish('faulted');
      this.#connections.cut(this.#socket);
    } else {
      this.#sink.end();
    }
  }

  async #strikeAtByte(bytes: number): Promise<void> {
    const fault = this.#fault;
    if (fault?.type === 'cut' && fault.afterBytes === bytes) await this.#strike(fault);
  }

  async #strikeAtChunk(): Promise<void> {
    const fault = this.#fault;
    if (fault === null || !('afterChunks' in fault)) return;
    if (fault.afterChunks === this.#chunks) await this.#strike(fault);
  }

  async #strike(fault: DeliveryFault): Promise<never> {
    this.#response.flushHeaders();
    if (fault.type !== 'stall') this.#recording.finish('faulted');
    // Newer Node hands chunks to the connection only at the end of the turn.
    await nextTurn();
    if (fault.type === 'cut') this.#connections.cut(this.#socket);
    if (fault.type === 'reset') this.#connections.reset(this.#socket);
    throw new AnswerOver();
  }

  #checkPresence(): void {
    if (this.#gone) throw new AnswerOver();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#sink.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
      this.#sink.on('drain', done);
      this.#response.on('close', done);
    });
  }
}

function overstated(
  headers: OutgoingHttpHeaders,
  { extraBytes = EXTRA_BYTES }: Extract<Fault, { readonly type: 'badLength' }>,
): OutgoingHttpHeaders {
  const length = Number(headers['content-length'] ?? LENGTH_OF_A_STREAM);
  return { ...headers, 'content-length': length + extraBytes };
}
