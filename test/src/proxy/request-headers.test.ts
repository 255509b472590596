import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientRequestId, hasBody, headersForUpstream } from '../../../src/proxy/request-headers.ts';
import { requestWith } from './headers.ts';

describe('headers for the upstream', () => {
  it('are the client’s in its order and spelling, repeated ones too', () => {
    const pairs = [
      ['Content-Type', 'application/json'],
      ['aCCept', 'a'],
      ['Accept', 'b'],
      ['X-Request-Id', 'r-1'],
    ] as const;
    assert.deepEqual(headersForUpstream(requestWith(...pairs), []), pairs.flat());
  });

  it('hold nothing of the client’s own credentials, framing and connection', () => {
    const request = requestWith(
      ['Host', 'localhost:8899'],
      ['Authorization', 'Bearer CANARY'],
      ['AUTHORIZATION', 'Bearer CANARY'],
      ['X-Api-Key', 'CANARY'],
      ['Cookie', 'session=CANARY'],
      ['Proxy-Authorization', 'Basic CANARY'],
      ['Connection', 'keep-alive'],
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'trailers'],
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '3'],
      ['Expect', '100-continue'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'x'],
      ['Accept', '*/*'],
    );
    assert.deepEqual(headersForUpstream(request, []), ['Accept', '*/*']);
  });

  it('lack those that any Connection header names, wherever it stands', () => {
    const request = requestWith(
      ['X-Hop', '1'],
      ['Connection', 'close, X-HOP'],
      ['Accept', '*/*'],
      ['connection', 'x-other'],
      ['X-Other', '2'],
    );
    assert.deepEqual(headersForUpstream(request, []), ['Accept', '*/*']);
  });

  it('lack those that rewrite rules remove', () => {
    const request = requestWith(['Anthropic-Beta', 'a'], ['anthropic-version', '1'], ['anthropic-beta', 'b']);
    assert.deepEqual(headersForUpstream(request, ['anthropic-beta']), ['anthropic-version', '1']);
  });
});

describe('a request', () => {
  it('has a body when it is framed to have one', () => {
    assert.equal(hasBody(requestWith(['Transfer-Encoding', 'chunked'])), true);
    assert.equal(hasBody(requestWith(['Content-Length', '12'])), true);
    assert.equal(hasBody(requestWith(['Content-Length', '0'])), false);
    assert.equal(hasBody(requestWith()), false);
  });

  it('keeps its own id when that can be logged and sent back', () => {
    assert.equal(clientRequestId(requestWith(['X-Request-Id', 'a.b:c/d"e'])), 'a.b:c/d"e');
    for (const id of ['', 'a b', 'a\tb', 'ü', `a\x7f`, 'x'.repeat(129)]) {
      assert.equal(clientRequestId(requestWith(['X-Request-Id', id])), undefined, id);
    }
    assert.equal(clientRequestId(requestWith(['X-Request-Id', 'a'], ['X-Request-Id', 'b'])), undefined);
    assert.equal(clientRequestId(requestWith()), undefined);
  });
});
