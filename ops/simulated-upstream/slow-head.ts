// Writes a response head onto the bare socket byte by byte. The body that follows ends with the connection.
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { pause } from './pause.ts';

const INTERVAL_MS = 20;

/** Sends the head one byte every `intervalMs`; returns early when the client leaves. */
export async function dribbleHead(
  socket: Socket,
  status: number,
  headers: OutgoingHttpHeaders,
  intervalMs: number = INTERVAL_MS,
): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of headText(status, { ...headers, connection: 'close' })) {
    if (socket.destroyed) return;
    socket.write(byte);
    await pause(intervalMs);
  }
}

/** The text of a response head, for answers that do not go through ServerResponse. */
export function headText(status: number, headers: OutgoingHttpHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`, ...lines, '', ''].join('\r\n');
}
