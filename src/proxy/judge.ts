// Judges what an attempt brought: does it speak against the credential, may it be tried again, what does the client
// read when it may not. Pure.
import type { SuspensionReason } from '../credentials/snapshot.ts';
import { codeOf, messageOf } from '../errors.ts';
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

const FINE: AnswerVerdict = { against: null, retryAfterMs: null, isRetryable: false };

/** 401 and 403 refuse the credential, 429 throttles it; 503 and 529 are the upstream's own trouble. */
export function judgeAnswer(status: number, headers: readonly Buffer[], now: number): AnswerVerdict {
  if (status < 400) return FINE;
  if (status === 401 || status === 403) return { against: 'rejected', retryAfterMs: null, isRetryable: true };
  if (status === 429) {
    return { against: 'throttled', retryAfterMs: readRetryAfter(headers, now), isRetryable: true };
  }
  return status === 503 || status === 529 ? { ...FINE, isRetryable: true } : FINE;
}

/**
 * An attempt that got no answer. It may be repeated only when nothing of it was sent: the upstream may have done
 * (and billed) the work otherwise.
 */
export function judgeFailure(cause: Error, wasSent: boolean, host: string): FailureVerdict {
  const code = codeOf(cause) ?? cause.name;
  const detail = `${code}: ${messageOf(cause)}`;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return {
      reply: reply(504, 'upstream_timeout', `${host} did not answer in time.`),
      isRetryable: false,
      detail,
    };
  }
  if (code === 'body_too_large') {
    return {
      reply: reply(413, 'body_too_large', 'The request body is too large.'),
      isRetryable: false,
      detail,
    };
  }
  if (code.startsWith('HPE_')) {
    const message = `${host} sent an answer that is not HTTP.`;
    return { reply: reply(502, 'upstream_invalid', message), isRetryable: false, detail };
  }
  if (wasSent) {
    const message = `${host} closed the connection without an answer.`;
    return { reply: reply(502, 'upstream_closed', message), isRetryable: false, detail };
  }
  const message = `${host} cannot be reached (${code}).`;
  return { reply: reply(502, 'upstream_unreachable', message), isRetryable: true, detail };
}

/**
 * Retry-After in seconds or as an HTTP date (RFC 9110 section 10.2.3), or retry-after-ms, which OpenAI and Azure send
 * and which is finer; in milliseconds from now.
 */
export function readRetryAfter(headers: readonly Buffer[], now: number): number | null {
  let fromSeconds: number | null = null;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toString('latin1').toLowerCase();
    const value = headers[i + 1]?.toString('latin1').trim() ?? '';
    if (name === 'retry-after-ms' && /^\d+(\.\d+)?$/.test(value)) return Number(value);
    if (name === 'retry-after')
      fromSeconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : untilDate(value, now);
  }
  return fromSeconds;
}

function untilDate(value: string, now: number): number | null {
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function reply(status: number, code: string, message: string): ErrorReply {
  return { status, code, message };
}
