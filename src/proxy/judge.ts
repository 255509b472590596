// Judges what an attempt brought: does it speak against the credential, may it be tried again, what does the client
// read when it may not. Pure.
import type { RetryCause } from '../config/formats.ts';
import type { SuspensionReason } from '../credentials/snapshot.ts';
import { codeOf, messageOf } from '../errors.ts';
import { BodyRefusedError } from './body-stream.ts';
import type { ErrorReply } from './dialect.ts';

/** What an answer of the upstream says. */
export interface AnswerVerdict {
  /** Why the credential should be cooled, or null when the answer says nothing against it. */
  readonly against: SuspensionReason | null;
  readonly retryAfterMs: number | null;
  /** Whether another credential might do better. */
  readonly isRetryable: boolean;
}

/** What an attempt without an answer says. */
export interface FailureVerdict {
  readonly reply: ErrorReply;
  readonly isRetryable: boolean;
  /** For the log: the cause in the words of the system. */
  readonly detail: string;
}

/** An attempt that ended without an answer. */
export interface AttemptFailure {
  readonly cause: Error;
  /** Whether any of it may have reached the upstream. */
  readonly wasSent: boolean;
  readonly method: string;
  /** The upstream's name, for messages. */
  readonly host: string;
}

const FINE: AnswerVerdict = { against: null, retryAfterMs: null, isRetryable: false };
/** What our connections and node say, besides the parser, of an answer that is none. */
const NOT_HTTP = new Set([
  'ERR_INVALID_CHAR',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
]);
/** RFC 9110 section 9.2.2: doing these twice does no more than doing them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** 401 and 403 refuse the credential, 429 throttles it; whether a 5xx is tried again is a setting. */
export function judgeAnswer(
  status: number,
  headers: readonly string[],
  now: number,
  causes: readonly RetryCause[] = [],
): AnswerVerdict {
  if (status < 400) return FINE;
  if (status === 401 || status === 403) return { against: 'rejected', retryAfterMs: null, isRetryable: true };
  if (status === 429) {
    return { against: 'throttled', retryAfterMs: readRetryAfter(headers, now), isRetryable: true };
  }
  return causes.includes(status) ? { ...FINE, isRetryable: true } : FINE;
}

/**
 * An attempt that got no answer is repeated when nothing of it was sent, or when repeating does no harm; otherwise the
 * upstream may have done (and billed) the work, and only a setting allows it.
 */
export function judgeFailure(
  { cause, wasSent, method, host }: AttemptFailure,
  causes: readonly RetryCause[] = [],
): FailureVerdict {
  const code = codeOf(cause) ?? cause.name;
  const detail = `${code}: ${messageOf(cause)}`;
  const verdict = (status: number, name: string, message: string, isRetryable: boolean): FailureVerdict => ({
    reply: { status, code: name, message },
    isRetryable,
    detail,
  });
  if (cause instanceof BodyRefusedError) return { reply: cause.reply, isRetryable: false, detail };
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return verdict(504, 'upstream_connect_timeout', `${host} did not accept a connection in time.`, true);
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    const message = `${host} did not begin to answer in time.`;
    return verdict(504, 'upstream_first_byte_timeout', message, causes.includes('timeout'));
  }
  if (code.startsWith('HPE_') || NOT_HTTP.has(code) || cause.name === 'HTTPParserError') {
    return verdict(502, 'upstream_invalid', `${host} sent an answer that is not HTTP.`, false);
  }
  if (code === 'UND_ERR_INVALID_ARG')
    return verdict(400, 'invalid_request', 'The request cannot be forwarded.', false);
  if (!wasSent) return verdict(502, 'upstream_unreachable', `${host} cannot be reached (${code}).`, true);
  const mayRepeat = IDEMPOTENT.has(method) || causes.includes('reset');
  return verdict(502, 'upstream_closed', `${host} closed the connection without an answer.`, mayRepeat);
}

/** What a client is told when an answer stops in the middle. */
export function judgeBreak(cause: Error, host: string): ErrorReply {
  if (cause instanceof BodyRefusedError) return cause.reply;
  if (codeOf(cause) === 'UND_ERR_BODY_TIMEOUT') {
    return {
      status: 504,
      code: 'upstream_idle_timeout',
      message: `${host} fell silent in the middle of its answer.`,
    };
  }
  return {
    status: 502,
    code: 'upstream_broke_off',
    message: `${host} broke off in the middle of its answer.`,
  };
}

/**
 * Retry-After in seconds or as an HTTP date (RFC 9110 section 10.2.3), or retry-after-ms, which OpenAI and Azure send
 * and which is finer; in milliseconds from now.
 */
export function readRetryAfter(headers: readonly string[], now: number): number | null {
  let fromSeconds: number | null = null;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase();
    const value = headers[i + 1]?.trim() ?? '';
    if (name === 'retry-after-ms' && isDecimal(value)) return Number(value);
    if (name === 'retry-after') fromSeconds = isDecimal(value) ? Number(value) * 1000 : untilDate(value, now);
  }
  return fromSeconds;
}

function isDecimal(value: string): boolean {
  return /^\d+(\.\d+)?$/.test(value);
}

function untilDate(value: string, now: number): number | null {
  // Date.parse takes almost anything for a date ("-5"); the three forms of HTTP all begin with a weekday.
  const isDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i.test(value);
  // The one that C's asctime writes names no zone and means GMT all the same.
  const date = isDate ? Date.parse(/GMT$/i.test(value) ? value : `${value} GMT`) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
