import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { headersForClient } from '../../../src/proxy/response-headers.ts';
import { rawHeaders } from './headers.ts';

const OURS = ['X-Request-Id', 'r-1'] as const;
const flatOf = (...pairs: readonly (readonly [string, string])[]): readonly string[] =>
  headersForClient(rawHeaders(...pairs), 'r-1').flat;

describe('headers for the client', () => {
  it('are the upstream’s in their order, spelling and bytes, after our request id', () => {
    const pairs = [
      ['content-TYPE', 'application/json'],
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['retry-after-ms', '15'],
      ['x-should-retry', 'true'],
      ['X-Name', 'caf\xe9'],
    ] as const;
    assert.deepEqual(flatOf(...pairs), [...OURS, ...pairs.flat()]);
  });

  it('keep the upstream’s own request id under another name', () => {
    assert.deepEqual(flatOf(['x-request-id', 'up-7']), [...OURS, 'X-Upstream-Request-Id', 'up-7']);
  });

  it('hold nothing that belongs to the upstream’s connection', () => {
    const flat = flatOf(
      ['Connection', 'close, X-Hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'x'],
      ['Upgrade', 'h2c'],
      ['Proxy-Authenticate', 'Basic'],
      ['Content-Length', '5'],
    );
    assert.deepEqual(flat, [...OURS, 'Content-Length', '5']);
  });

  it('keep what the answer is framed by, whatever Connection names', () => {
    const pairs = [
      ['Content-Length', '5'],
      ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ] as const;
    assert.deepEqual(flatOf(['Connection', 'Content-Length, date'], ...pairs), [...OURS, ...pairs.flat()]);
  });

  it('ask proxies in front of us not to hold events back, once, and only for an event stream', () => {
    for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8']) {
      assert.deepEqual(flatOf(['X-Accel-Buffering', 'yes'], ['Content-Type', type]), [
        ...OURS,
        'Content-Type',
        type,
        'X-Accel-Buffering',
        'no',
      ]);
    }
    for (const type of ['text/event-streams', 'application/json; x=text/event-stream', '']) {
      assert.equal(flatOf(['Content-Type', type]).includes('X-Accel-Buffering'), false, type);
    }
  });

  it('tell an event stream that events of ours may be written into', () => {
    const isOpen = (...more: readonly (readonly [string, string])[]): boolean =>
      headersForClient(rawHeaders(['CONTENT-TYPE', 'text/event-stream'], ...more), 'r').isOpenEventStream;
    assert.equal(isOpen(), true);
    assert.equal(isOpen(['content-encoding', 'identity']), true);
    assert.equal(isOpen(['Content-Length', '100']), false, 'its length has been announced');
    assert.equal(isOpen(['Content-Encoding', 'gzip']), false, 'its bytes are coded');
    assert.equal(headersForClient(rawHeaders(['Content-Type', 'text/plain']), 'r').isOpenEventStream, false);
  });
});
