// Bodies that nobody wants any more, because their request has been answered. What is left of one is read and thrown
// away for a while: a connection closed with bytes unread is reset, and a reset can take the answer with it before
// the client has read it (RFC 9112 section 9.6). nginx does so too, by the name of lingering_close.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expectsContinue } from './request-head.ts';

/** nginx's lingering_timeout and lingering_time. */
const SILENCE_MS = 5_000;
const LONGEST_MS = 30_000;

/**
 * Before an answer of ours that does not wait for the body. A client that waits for "100 Continue" may or may not send
 * it then (RFC 9110 section 10.1.1), so that nobody could tell what comes next.
 */
export function closeUnlessBodyComes(request: IncomingMessage, response: ServerResponse): void {
  if (!request.complete && expectsContinue(request)) response.shouldKeepAlive = false;
}

/** Reads what is left of a request's body once its response is out, whoever gave it. */
export function readRestAfter(request: IncomingMessage, response: ServerResponse): void {
  // First in line: node would destroy the socket itself, if the response was the last one.
  response.prependOnceListener('finish', () => {
    if (!request.complete && !request.socket.destroyed) readRest(request);
  });
}

/** Says the last words on a connection and reads on for a while. */
export function endGently(socket: Duplex, lastWords: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(lastWords);
  limitRest(socket);
  socket.resume();
}

/** Reads on while a last answer goes out on a connection, and for a while after it: else its end would go unheard. */
export function discardRest(socket: Duplex): void {
  socket.once('finish', () => limitRest(socket));
  socket.resume();
}

function readRest(request: IncomingMessage): void {
  const { socket } = request;
  const { destroySoon } = socket;
  const limit = limitRest(socket);
  let isLast = false;
  // What node calls after the last response.
  socket.destroySoon = () => {
    isLast = true;
    socket.end();
  };
  request.on('data', limit.onBytes);
  request.once('end', () => {
    limit.lift();
    socket.destroySoon = destroySoon;
    if (isLast) socket.destroySoon();
  });
  // At once, or node discards the body where we do not see it.
  request.read(0);
  request.resume();
}

interface RestLimit {
  onBytes(): void;
  lift(): void;
}

/** Destroys a connection on which the rest takes too long. */
function limitRest(socket: Duplex | Socket): RestLimit {
  const silence = setTimeout(() => socket.destroy(), SILENCE_MS);
  const whole = setTimeout(() => socket.destroy(), LONGEST_MS);
  const lift = (): void => {
    clearTimeout(silence);
    clearTimeout(whole);
    socket.off('close', lift);
  };
  socket.once('close', lift);
  return { onBytes: () => silence.refresh(), lift };
}
