// Reads a request body once: counts it, hashes it, and keeps the bytes only where the route needs them.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Body {
  readonly bytes: number;
  readonly sha256: string;
  /** Empty when the caller asked not to keep it. */
  readonly content: Buffer;
}

const NOTHING: Body = {
  bytes: 0,
  sha256: createHash('sha256').digest('hex'),
  content: Buffer.alloc(0),
};

/** Resolves when the body has arrived whole; rejects when the client goes away before. */
export function readBody(request: IncomingMessage, keep: boolean): Promise<Body> {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && (length === undefined || length === '0')) return Promise.resolve(NOTHING);
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      hash.update(piece);
      if (keep) kept.push(piece);
    });
    request.once('end', () => {
      const [only, ...more] = kept;
      const content = only !== undefined && more.length === 0 ? only : Buffer.concat(kept);
      resolve({ bytes, sha256: hash.digest('hex'), content });
    });
    request.once('error', reject);
  });
}
