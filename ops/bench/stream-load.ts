// Clients of event streams, as cheap as Node can have them: sockets that count events and look at the clock.
import net from 'node:net';

export interface StreamLoad {
  readonly url: string;
  readonly streams: number;
  /** In each stream. */
  readonly events: number;
  readonly everyMs: number;
}

export interface StreamFigures {
  readonly events: number;
  /** Streams that did not come to their end with all their events. */
  readonly broken: number;
  readonly firstByteMs: readonly number[];
  /** How far from its time each further event was, ms. */
  readonly jitterMs: readonly number[];
}

const NEW_LINE = 10;
const GIVE_UP_MS = 30_000;
/** As chats are: what is looked for in their answers is part of the cost. */
const BODY = JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: 'Hi' }] });

/** Opens all streams at once and reads them to their end. */
export async function readStreams(load: StreamLoad): Promise<StreamFigures> {
  const firstByteMs: number[] = [];
  const jitterMs: number[] = [];
  const counts = await Promise.all(
    Array.from({ length: load.streams }, () => readStream(load, firstByteMs, jitterMs)),
  );
  return {
    events: counts.reduce((sum, count) => sum + count, 0),
    broken: counts.filter((count) => count !== load.events).length,
    firstByteMs,
    jitterMs,
  };
}

/** @returns how many events came */
function readStream(load: StreamLoad, firstByteMs: number[], jitterMs: number[]): Promise<number> {
  const { hostname, port, host } = new URL(load.url);
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = net.connect(Number(port), hostname);
    const late = setTimeout(() => socket.destroy(), GIVE_UP_MS + load.events * load.everyMs);
    let events = 0;
    let lastAt = 0;
    let before = 0;
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
    );
    socket.on('data', (chunk: Buffer) => {
      const now = performance.now();
      if (lastAt === 0) firstByteMs.push(now - startedAt);
      for (const byte of chunk) {
        if (byte === NEW_LINE && before === NEW_LINE) {
          if (events > 0) jitterMs.push(Math.abs(now - lastAt - load.everyMs));
          events += 1;
          lastAt = now;
        }
        before = byte;
      }
      lastAt ||= now;
      if (endsInLastChunk(chunk)) socket.end();
    });
    // What broke off shows in the count.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(late);
      resolve(events);
    });
  });
}

function endsInLastChunk(chunk: Buffer): boolean {
  return chunk.subarray(-5).equals(LAST_CHUNK);
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n');
