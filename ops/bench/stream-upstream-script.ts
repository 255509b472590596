// An upstream whose every answer is an event stream, as cheap as Node can send one: sockets, no HTTP library, one
// timer for all streams of a moment. Arguments: port, events in a stream, milliseconds between them.
import net from 'node:net';

const [port = '0', events = '20', everyMs = '100'] = process.argv.slice(2);
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const EVENT = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(60) } }] })}\n\n`;
const CHUNK = Buffer.from(`${EVENT.length.toString(16)}\r\n${EVENT}\r\n`);
const LAST = '0\r\n\r\n';

interface Stream {
  readonly socket: net.Socket;
  sent: number;
}

/** Streams by the phase of the interval in which they began, so that each keeps its own time. */
const PHASES = 20;
const phases: Set<Stream>[] = Array.from({ length: PHASES }, () => new Set<Stream>());
let phase = 0;
setInterval(() => {
  phase = (phase + 1) % PHASES;
  for (const stream of phases[phase] ?? []) send(stream);
}, Number(everyMs) / PHASES);

const server = net.createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('latin1')).slice(-8_192);
    // Bodies of the bench are JSON objects.
    if (!tail.endsWith('}') || !tail.includes('\r\n\r\n')) return;
    tail = '';
    const stream = { socket, sent: 0 };
    socket.write(HEAD);
    phases[phase]?.add(stream);
    send(stream);
  });
});
server.listen(Number(port), '127.0.0.1', 4_096);

function send(stream: Stream): void {
  stream.sent += 1;
  if (stream.socket.destroyed || stream.sent > Number(events)) {
    for (const streams of phases) streams.delete(stream);
    if (!stream.socket.destroyed) stream.socket.write(LAST);
  } else stream.socket.write(CHUNK);
}
