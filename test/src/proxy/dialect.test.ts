import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dialectOf, errorBody, errorOnWire } from '../../../src/proxy/dialect.ts';

const error = { status: 429, code: 'all_throttled', message: 'Say "when".\nLater.' };

describe('the dialect', () => {
  it('is Anthropic’s under /v1/messages and OpenAI’s everywhere else', () => {
    for (const path of ['/v1/messages', '/v1/messages/', '/v1/messages/count_tokens']) {
      assert.equal(dialectOf(path), 'anthropic', path);
    }
    for (const path of ['/v1/messagesX', '/v1/chat/completions', '/', '', '/V1/messages', '/x/v1/messages']) {
      assert.equal(dialectOf(path), 'openai', path);
    }
  });
});

describe('an error body', () => {
  it('is what the OpenAI SDK parses', () => {
    assert.deepEqual(JSON.parse(errorBody('openai', error)), {
      error: { message: error.message, type: 'rate_limit_error', param: null, code: 'all_throttled' },
    });
  });

  it('is what the Anthropic SDK parses', () => {
    assert.deepEqual(JSON.parse(errorBody('anthropic', error)), {
      type: 'error',
      error: { type: 'rate_limit_error', message: error.message, code: 'all_throttled' },
    });
  });

  it('has a type for every status, if only the general one', () => {
    const types = [400, 401, 403, 404, 413, 429, 500, 502, 503, 504, 599].map(
      (status) => JSON.parse(errorBody('openai', { ...error, status })).error.type,
    );
    assert.deepEqual(types, [
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'not_found_error',
      'request_too_large',
      'rate_limit_error',
      'api_error',
      'api_error',
      'overloaded_error',
      'timeout_error',
      'api_error',
    ]);
  });
});

describe('an error on the wire', () => {
  it('is a whole HTTP answer that ends the connection, its length in bytes', () => {
    const message = 'größer ✓';
    const wire = errorOnWire('openai', { ...error, message }, ['Retry-After', '3']);
    const [head = '', body = ''] = wire.split('\r\n\r\n');
    const [start, ...fields] = head.split('\r\n');
    assert.equal(start, 'HTTP/1.1 429 Too Many Requests');
    assert.deepEqual(fields, [
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      'Retry-After: 3',
    ]);
    assert.equal(JSON.parse(body).error.message, message);
  });

  it('has a reason phrase also for a status that nobody knows', () => {
    assert.match(errorOnWire('openai', { ...error, status: 599 }), /^HTTP\/1\.1 599 Error\r\n/);
  });
});
