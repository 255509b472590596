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

/** An error as the last event of a stream, in the words that the SDKs of a dialect raise on. */
export function errorEvent(dialect: Dialect, error: ErrorReply): string {
  const data = `data: ${errorBody(dialect, error)}\n\n`;
  return dialect === 'anthropic' ? `event: error\n${data}` : data;
}
