import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { KeptBody } from '../../../src/proxy/kept-body.ts';
import type { RequestBody } from '../../../src/proxy/request-body.ts';
import { requestHead } from '../../../src/proxy/request-message.ts';

const USUAL = {
  method: 'POST',
  path: '/base/v1/x?y=1',
  headers: ['X-A', 'caf\xe9'],
  authorization: 'Bearer t',
} as const;

function headOf(body: RequestBody, changes: Partial<typeof USUAL> | object = {}): string {
  return requestHead({ ...USUAL, body, ...changes }, 'up.example');
}

describe('a request to the upstream', () => {
  it('is framed by its body, and by nothing else', () => {
    const begin =
      'POST /base/v1/x?y=1 HTTP/1.1\r\nhost: up.example\r\nconnection: keep-alive\r\nX-A: caf\xe9\r\nauthorization: Bearer t\r\n';
    const streamed = { type: 'stream', stream: Readable.from([]), beginning: Buffer.alloc(0) } as const;
    assert.equal(headOf(new KeptBody([Buffer.from('12345')])), `${begin}content-length: 5\r\n\r\n`);
    assert.equal(headOf({ type: 'none' }), `${begin}content-length: 0\r\n\r\n`);
    assert.equal(headOf({ ...streamed, length: 7 }), `${begin}content-length: 7\r\n\r\n`);
    assert.equal(headOf({ ...streamed, length: null }), `${begin}transfer-encoding: chunked\r\n\r\n`);
    assert.ok(!headOf({ type: 'none' }, { method: 'GET' }).includes('content-length'));
  });

  it('never holds what would end a line early', () => {
    const body: RequestBody = { type: 'none' };
    for (const changes of [
      { method: 'GET /' },
      { path: '/a b' },
      { path: '/a\r\nX: y' },
      { headers: ['X-A', 'a\r\nX-B: b'] },
      { headers: ['X-A', 'a\nb'] },
      { headers: ['X-A\r\nX-B', 'b'] },
      { headers: ['X-A', 'a\0'] },
    ]) {
      assert.throws(() => headOf(body, changes), { code: 'UND_ERR_INVALID_ARG' }, JSON.stringify(changes));
    }
  });
});
