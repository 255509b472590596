// The tokens of a compressed answer. It is put aside, within a bound, while it is relayed, and unpacked by zlib's
// threads when the exchange is over: its log line waits for that, the client does not.
import zlib from 'node:zlib';
import type { Tokens } from './token-usage.ts';
import { UsageReader } from './usage-reader.ts';

/** Answers of models are a tenth of this; of a larger one the tokens stay unknown. */
const MOST_BYTES = 256 * 1024;
const MOST_UNPACKED_BYTES = 1024 * 1024;

type Unpack = (
  bytes: Buffer,
  options: { readonly maxOutputLength: number },
  callback: (cause: Error | null, unpacked: Buffer) => void,
) => void;

const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: zlib.gunzip,
  'x-gzip': zlib.gunzip,
  deflate: zlib.inflate,
  br: zlib.brotliDecompress,
};

export class CodedUsage {
  #tokens: Tokens | null = null;
  readonly #kind: 'json' | 'events';
  readonly #unpack: Unpack | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @param coding value of Content-Encoding */
  constructor(kind: 'json' | 'events', coding: string) {
    this.#kind = kind;
    this.#unpack = Object.hasOwn(UNPACK, coding) ? UNPACK[coding] : undefined;
  }

  /** What was told; null before `read` is through, when nothing was told, or when it cannot be read. */
  get tokens(): Tokens | null {
    return this.#tokens;
  }

  push(chunk: Buffer): void {
    if (this.#unpack === undefined || this.#bytes > MOST_BYTES) return;
    this.#bytes += chunk.length;
    if (this.#bytes > MOST_BYTES) this.#pieces = [];
    // A copy: a chunk may be a small part of a large piece of memory.
    else this.#pieces.push(Buffer.from(chunk));
  }

  /** To be called once, after the last byte. */
  read(onRead: () => void): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    if (this.#unpack === undefined || pieces.length === 0) {
      onRead();
      return;
    }
    this.#unpack(Buffer.concat(pieces), { maxOutputLength: MOST_UNPACKED_BYTES }, (cause, unpacked) => {
      if (cause === null) this.#tokens = readTokens(this.#kind, unpacked);
      onRead();
    });
  }
}

function readTokens(kind: 'json' | 'events', unpacked: Buffer): Tokens | null {
  const reader = new UsageReader(kind);
  reader.push(unpacked);
  return reader.tokens;
}
