// TLS towards clients: a server with a certificate that can be renewed under way, and which secure socket belongs to
// which plain one. What is spoken over it is server.ts's.
import type { Server } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { MIN_TLS_VERSION, type TlsPair } from '../clients/tls-pair.ts';
import type { Connections } from './connections.ts';

/** Clients send their hello at once; whoever does not is no client. */
const HANDSHAKE_MS = 10_000;

/** A node:https server. */
export function createTlsServer(options: https.ServerOptions, pair: TlsPair): https.Server {
  return https.createServer({ ...options, ...secureContext(pair), handshakeTimeout: HANDSHAKE_MS });
}

/** New connections get a renewed certificate; those that are open go on as they are. */
export function renewCertificate(server: https.Server, pair: TlsPair): void {
  server.setSecureContext(secureContext(pair));
}

/**
 * Tells the connections which secure socket has taken the place of which plain one. Node speaks of each but not of
 * both: what they have in common is the client's end.
 * @param plain the same server by its other type
 */
export function followHandshakes(secure: https.Server, plain: Server, connections: Connections): void {
  const shakingHands = new Map<string, Socket>();
  plain.on('connection', (socket) => {
    const end = clientEnd(socket);
    shakingHands.set(end, socket);
    socket.once('close', () => {
      if (shakingHands.get(end) === socket) shakingHands.delete(end);
    });
  });
  secure.on('secureConnection', (socket) => {
    const end = clientEnd(socket);
    const underneath = shakingHands.get(end);
    shakingHands.delete(end);
    if (underneath === undefined) connections.add(socket);
    else connections.secure(underneath, socket);
  });
}

/** Whether the code of an error is of TLS: most are scanners, or clients that do not trust the certificate. */
export function isTlsFault(code: string | undefined): boolean {
  return code !== undefined && /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code);
}

function secureContext({ cert, key }: TlsPair): https.ServerOptions {
  return { cert, key, minVersion: MIN_TLS_VERSION };
}

function clientEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
