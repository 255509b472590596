import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyRefusedError } from '../../../src/proxy/body-stream.ts';
import { judgeAnswer, judgeBreak, judgeFailure, readRetryAfter } from '../../../src/proxy/judge.ts';
import { rawHeaders } from './headers.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const retryAfter = (...pairs: readonly (readonly [string, string])[]): number | null =>
  readRetryAfter(rawHeaders(...pairs), NOW);

describe('an answer of the upstream', () => {
  const table: Record<number, readonly [against: 'rejected' | 'throttled' | null, isRetryable: boolean]> = {
    200: [null, false],
    204: [null, false],
    304: [null, false],
    400: [null, false],
    401: ['rejected', true],
    402: [null, false],
    403: ['rejected', true],
    404: [null, false],
    408: [null, false],
    409: [null, false],
    413: [null, false],
    429: ['throttled', true],
    499: [null, false],
    500: [null, false],
    502: [null, false],
    503: [null, true],
    504: [null, false],
    529: [null, true],
  };
  for (const [status, [against, isRetryable]] of Object.entries(table)) {
    const says = against === null ? 'says nothing against the credential' : `has the credential ${against}`;
    it(`with ${status} ${says} and is ${isRetryable ? '' : 'not '}tried again`, () => {
      const verdict = judgeAnswer(Number(status), [], NOW, [503, 529]);
      assert.deepEqual(verdict, { against, retryAfterMs: null, isRetryable });
    });
  }

  it('with a 5xx is tried again only when a setting names the status', () => {
    assert.equal(judgeAnswer(503, [], NOW).isRetryable, false);
    assert.equal(judgeAnswer(500, [], NOW, [500]).isRetryable, true);
    assert.equal(judgeAnswer(500, [], NOW, ['timeout', 'reset']).isRetryable, false);
  });

  it('has its Retry-After heeded when it throttles, not when it rejects', () => {
    const headers = rawHeaders(['Retry-After', '7']);
    assert.equal(judgeAnswer(429, headers, NOW).retryAfterMs, 7_000);
    assert.equal(judgeAnswer(401, headers, NOW).retryAfterMs, null);
    assert.equal(judgeAnswer(503, headers, NOW, [503]).retryAfterMs, null);
  });
});

describe('Retry-After', () => {
  it('is read as seconds, whole or not, in any spelling of the name', () => {
    assert.equal(retryAfter(['RETRY-AFTER', ' 12 ']), 12_000);
    assert.equal(retryAfter(['retry-after', '0.5']), 500);
    assert.equal(retryAfter(['Retry-After', '0']), 0);
  });

  it('is read as an HTTP date, which is now when it has passed', () => {
    assert.equal(retryAfter(['Retry-After', 'Tue, 24 Nov 2026 12:01:30 GMT']), 90_000);
    assert.equal(retryAfter(['Retry-After', 'Tue, 24 Nov 2026 11:00:00 GMT']), 0);
  });

  it('is read in the older forms of HTTP dates, too, wherever the service runs', () => {
    const before = process.env['TZ'];
    try {
      for (const zone of ['UTC', 'Asia/Shanghai', 'America/Los_Angeles']) {
        process.env['TZ'] = zone;
        assert.equal(retryAfter(['Retry-After', 'Tuesday, 24-Nov-26 12:01:30 GMT']), 90_000, zone);
        assert.equal(retryAfter(['Retry-After', 'Tue Nov 24 12:01:30 2026']), 90_000, zone);
      }
    } finally {
      if (before === undefined) delete process.env['TZ'];
      else process.env['TZ'] = before;
    }
  });

  it('gives way to retry-after-ms, which is finer, in whatever order they come', () => {
    assert.equal(retryAfter(['retry-after', '2'], ['retry-after-ms', '1500']), 1_500);
    assert.equal(retryAfter(['retry-after-ms', '1500.5'], ['retry-after', '2']), 1_500.5);
    assert.equal(retryAfter(['retry-after-ms', 'soon'], ['retry-after', '2']), 2_000);
  });

  it('is none when it is missing or garbage', () => {
    assert.equal(retryAfter(), null);
    for (const value of ['', ' ', 'soon', 'never', '12s', 'Infinity', '1e3', '0x10']) {
      assert.equal(retryAfter(['Retry-After', value]), null, value);
      assert.equal(retryAfter(['retry-after-ms', value]), null, value);
    }
  });
});

describe('an attempt without an answer', () => {
  const coded = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code });
  const judge = (
    cause: Error,
    wasSent: boolean,
    method = 'POST',
    causes: Parameters<typeof judgeFailure>[1] = [],
  ) => {
    const { reply, isRetryable, detail } = judgeFailure(
      { cause, wasSent, method, host: 'up.example' },
      causes,
    );
    return { status: reply.status, code: reply.code, isRetryable, detail };
  };

  it('is tried again when nothing was sent', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'ECONNRESET', 'CERT_HAS_EXPIRED']) {
      const { status, isRetryable } = judge(coded(code), false);
      assert.deepEqual([status, isRetryable], [502, true], code);
    }
    assert.equal(judge(coded('UND_ERR_CONNECT_TIMEOUT'), false).status, 504);
  });

  it('is not tried again once a POST was sent, unless a setting allows it', () => {
    assert.equal(judge(coded('UND_ERR_SOCKET'), true).isRetryable, false);
    assert.equal(judge(coded('UND_ERR_SOCKET'), true, 'POST', ['reset']).isRetryable, true);
    assert.equal(judge(coded('UND_ERR_HEADERS_TIMEOUT'), true).isRetryable, false);
    assert.equal(judge(coded('UND_ERR_HEADERS_TIMEOUT'), true, 'POST', ['timeout']).isRetryable, true);
  });

  it('is tried again after a GET was sent, which does no harm twice', () => {
    assert.equal(judge(coded('UND_ERR_SOCKET'), true, 'GET').isRetryable, true);
  });

  it('has a status and code of its own for each cause, and the system’s words for the log', () => {
    assert.deepEqual(judge(coded('UND_ERR_HEADERS_TIMEOUT'), true), {
      status: 504,
      code: 'upstream_first_byte_timeout',
      isRetryable: false,
      detail: 'UND_ERR_HEADERS_TIMEOUT: it failed',
    });
    assert.deepEqual(judge(coded('HPE_INVALID_CONSTANT'), true).code, 'upstream_invalid');
    const reply = { status: 413, code: 'body_too_large', message: 'Too large.' };
    assert.deepEqual(judge(new BodyRefusedError(reply), true).code, 'body_too_large');
    assert.deepEqual(judge(new TypeError('odd'), true).detail, 'TypeError: odd');
  });

  it('tells the client no more than the upstream’s name and a code', () => {
    const cause = coded('ECONNREFUSED', 'connect to http://user:CANARY@10.0.0.1 refused');
    const { reply } = judgeFailure({ cause, wasSent: false, method: 'GET', host: 'up.example' });
    assert.doesNotMatch(reply.message, /CANARY|10\.0\.0\.1/);
  });
});

describe('an answer that breaks off', () => {
  it('is told apart by its cause: silence or a cut', () => {
    const silence = Object.assign(new Error('x'), { code: 'UND_ERR_BODY_TIMEOUT' });
    assert.equal(judgeBreak(silence, 'h').code, 'upstream_idle_timeout');
    assert.equal(judgeBreak(new Error('other side closed'), 'h').code, 'upstream_broke_off');
  });
});
