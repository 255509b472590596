// GET /v1/realtime: a WebSocket that echoes every message, and what can go wrong with its upgrade.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { AnswerOver } from './answer.ts';
import type { Fault } from './faults.ts';
import { breakOff, statusBody } from './misbehave.ts';
import { pause } from './pause.ts';
import type { Recording } from './record.ts';
import { liteLlmError } from './refusals.ts';
import type { World } from './serve.ts';
import { headText } from './slow-head.ts';

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly path: string;
  readonly recording: Recording;
  /** Listens for the end of the socket until the WebSocket tells of its own. */
  readonly left: () => void;
}

export class Realtime {
  readonly #world: World;
  readonly #server = new WebSocketServer({ noServer: true });

  constructor(world: World) {
    this.#world = world;
  }

  /** Serves one upgrade request; never rejects. */
  async upgrade(request: IncomingMessage, socket: Socket, head: Buffer, path: string): Promise<void> {
    const recording = this.#world.recorder.begin(request);
    socket.on('error', () => socket.destroy());
    const left = (): void => recording.finish('aborted');
    socket.once('close', left);
    try {
      await this.#negotiate({ request, socket, head, path, recording, left });
    } catch (error) {
      if (!(error instanceof AnswerOver)) socket.destroy();
    }
  }

  async #negotiate(upgrade: Upgrade): Promise<void> {
    const { request, path, recording } = upgrade;
    const identity = await this.#world.authenticator.identify(request.headers.authorization);
    if (identity.kind === 'refused') {
      const message = `Authentication Error, ${identity.reason}`;
      return refuse(upgrade, 401, JSON.stringify(liteLlmError(401, message, 'auth_error')));
    }
    const { clientId } = identity;
    recording.update({ clientId });
    const model = new URL(request.url ?? '', 'http://upstream').searchParams.get('model');
    recording.update({ model });
    const fault = this.#world.faults.take({ clientId, path, model, phase: 'body' });
    if (fault !== null) await this.#misbehave(fault, upgrade);
    if (path !== '/v1/realtime') return refuse(upgrade, 404, JSON.stringify({ detail: 'Not Found' }));
    await pause(this.#world.latencyMs);
    this.#accept(upgrade, fault);
  }

  /** Applies what can befall an upgrade; `slowHeaders` and `badLength` cannot. */
  async #misbehave(fault: Fault, upgrade: Upgrade): Promise<void> {
    const { recording, socket, path } = upgrade;
    const { connections } = this.#world;
    recording.update({ fault: fault.type });
    if (fault.type === 'delay') return pause(fault.ms);
    if (fault.type === 'status') {
      const [text, type] = statusBody(fault, path);
      recording.finish('faulted');
      refuse(upgrade, fault.status, text, { 'content-type': type, ...fault.headers });
      throw new AnswerOver();
    }
    // A socket that nobody reads would not tell that its other end has gone.
    if (fault.type === 'stall') socket.once('end', () => socket.destroy()).resume();
    const atOnce = (fault.type === 'stall' || fault.type === 'reset') && fault.afterChunks === undefined;
    if (atOnce || fault.type === 'close' || fault.type === 'garbage') {
      breakOff(fault, { path, socket, connections, recording });
    }
  }

  #accept({ request, socket, head, recording, left }: Upgrade, fault: Fault | null): void {
    if (socket.destroyed) return;
    this.#server.handleUpgrade(request, socket, head, (client) => {
      socket.off('close', left);
      recording.update({ status: 101 });
      client.on('error', () => client.terminate());
      client.on('close', (code) => recording.finish(code === 1006 ? 'aborted' : 'completed'));
      this.#echo(client, recording, socket, fault);
    });
  }

  #echo(client: WebSocket, recording: Recording, socket: Socket, fault: Fault | null): void {
    const limit = fault !== null && 'afterChunks' in fault ? fault.afterChunks : undefined;
    let echoed = 0;
    const strikeIfDue = (): boolean => {
      if (fault === null || limit === undefined || echoed < limit) return false;
      if (fault.type !== 'stall') recording.finish('faulted');
      if (fault.type === 'cut') this.#world.connections.cut(socket);
      if (fault.type === 'reset') this.#world.connections.reset(socket);
      return true;
    };
    client.on('message', (data, isBinary) => {
      if (limit !== undefined && echoed >= limit) return;
      client.send(data, { binary: isBinary });
      recording.update({ chunksSent: ++echoed });
      strikeIfDue();
    });
    strikeIfDue();
  }
}

function refuse(
  { socket, recording }: Upgrade,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): void {
  recording.update({ status });
  recording.finish('completed');
  const head = headText(status, {
    ...headers,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  });
  socket.end(head + text);
}
