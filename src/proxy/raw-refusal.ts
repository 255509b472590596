// What is said to bytes that never became a request: which error they are, and for whom it is worded.
import { codeOf } from '../errors.ts';
import { type Dialect, dialectOf, type ErrorReply } from './dialect.ts';
import { HEAD_TOO_LARGE, HEAD_TOO_SLOW, MALFORMED, REQUEST_CUT, URL_TOO_LONG } from './protocol-errors.ts';
import { LONGEST_TARGET } from './target.ts';

/** The error that node's `clientError` stands for. */
export function errorFor(cause: Error): ErrorReply {
  switch (codeOf(cause)) {
    case 'HPE_HEADER_OVERFLOW':
      return targetOf(cause).length > LONGEST_TARGET ? URL_TOO_LONG : HEAD_TOO_LARGE;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return HEAD_TOO_SLOW;
    case 'HPE_INVALID_EOF_STATE':
      return REQUEST_CUT;
    default:
      return MALFORMED;
  }
}

/** Told by the request line, where that is among the bytes node stopped at. */
export function dialectFor(cause: Error): Dialect {
  const target = targetOf(cause);
  const at = target.indexOf('/v1/messages');
  return dialectOf(at < 0 ? target : (target.slice(at).split(/[?#]/, 1)[0] ?? ''));
}

/** The request target that the bytes begin with, whole or not; `''` when they begin with none. */
function targetOf(cause: Error): string {
  if (!('rawPacket' in cause) || !(cause.rawPacket instanceof Buffer)) return '';
  return /^[A-Z-]+ +([^\s]+)/.exec(cause.rawPacket.toString('latin1'))?.[1] ?? '';
}
