// What may be written between the bytes of somebody else's event stream (WHATWG HTML, section 9.2): nothing inside an
// event, a comment or an error event between two.
import { type Dialect, type ErrorReply, errorBody } from './dialect.ts';

/** A line that clients skip; it keeps idle timeouts on the way from cutting a long silence. */
export const KEEP_ALIVE_COMMENT = ': keep-alive\n\n';

/** Follows a stream's bytes just far enough to know whether it stands between two events. */
export class EventBoundary {
  /** The last four bytes, the latest lowest. */
  #tail = 0x0a0d0a0a;

  push(chunk: Buffer): void {
    for (let at = Math.max(0, chunk.length - 4); at < chunk.length; at += 1) {
      this.#tail = ((this.#tail << 8) | (chunk[at] ?? 0)) >>> 0;
    }
  }

  /** True before the first byte and after a blank line. */
  get isBetweenEvents(): boolean {
    return (this.#tail & 0xffff) === 0x0a0a || (this.#tail & 0xffffff) === 0x0a0d0a;
  }

  /** What closes a half-written event off, so that the next line is read as a new one. */
  get closing(): string {
    if (this.isBetweenEvents) return '';
    return (this.#tail & 0xff) === 0x0a ? '\n' : '\n\n';
  }
}

/** The end of a stream that nothing but the end of its connection frames: that may as well be a cut in the middle. */
export class StreamEnd {
  readonly #last: RegExp | null;
  readonly #boundary: EventBoundary;
  #tail = '';

  /**
   * @param path tells what its last event is, where it has one
   * @param boundary is told of the same bytes
   */
  constructor(path: string, boundary: EventBoundary) {
    this.#last = lastEventOf(path);
    this.#boundary = boundary;
  }

  /** Takes the next bytes. */
  push(chunk: Buffer): void {
    const from = Math.max(0, chunk.length - TAIL_BYTES);
    this.#tail = (this.#tail + chunk.toString('latin1', from)).slice(-TAIL_BYTES);
  }

  /** Whether the stream has come to its own end. */
  get isReached(): boolean {
    return this.#last === null ? this.#boundary.isBetweenEvents : this.#last.test(this.#tail);
  }
}

/** More than any last event has. */
const TAIL_BYTES = 4 * 1024;

/** Of the APIs whose streams say so when they are over, or have failed. */
function lastEventOf(path: string): RegExp | null {
  if (path === '/v1/messages') return /^event: ?(?:message_stop|error)\b/m;
  return path.endsWith('/completions') ? /^data: ?(?:\[DONE\]|\{"error")/m : null;
}

/** An error as the last event of a stream, in the words that the SDKs of a dialect raise on. */
export function errorEvent(dialect: Dialect, error: ErrorReply): string {
  const data = `data: ${errorBody(dialect, error)}\n\n`;
  return dialect === 'anthropic' ? `event: error\n${data}` : data;
}
