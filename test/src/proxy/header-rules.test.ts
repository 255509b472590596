import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  namedByConnection,
  requestHeaderRules,
  responseHeaderRules,
  withoutHeaders,
} from '../../../src/proxy/header-rules.ts';

const HOP_BY_HOP = [
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];

describe('header rules', () => {
  it('drop hop-by-hop headers both ways, in any spelling', () => {
    for (const rules of [requestHeaderRules(), responseHeaderRules()]) {
      for (const name of HOP_BY_HOP) {
        for (const spelling of [name, name.toUpperCase(), name.replace(/^./, (c) => c.toUpperCase())]) {
          assert.equal(rules.fateOf(spelling), 'drop', spelling);
        }
      }
    }
  });

  it('drop what is the client’s own secret or made anew on the way up only', () => {
    for (const name of ['Authorization', 'X-Api-Key', 'Cookie', 'Host', 'Expect', 'Content-Length']) {
      assert.equal(requestHeaderRules().fateOf(name), 'drop', name);
      assert.equal(responseHeaderRules().fateOf(name), 'pass', name);
    }
  });

  it('pass everything else, and name the two that need a look', () => {
    const rules = requestHeaderRules();
    for (const name of [
      'Content-Type',
      'accept-encoding',
      'X-Forwarded-For',
      'anthropic-version',
      '',
      '__proto__',
    ]) {
      assert.equal(rules.fateOf(name), 'pass', name);
    }
    assert.equal(rules.fateOf('CONNECTION'), 'connection');
    assert.equal(rules.fateOf('x-ReQuEsT-iD'), 'requestId');
  });

  it('say the same after thousands of odd spellings', () => {
    const rules = requestHeaderRules();
    for (let i = 0; i < 5_000; i += 1) assert.equal(rules.fateOf(`x-${i}`), 'pass');
    assert.equal(rules.fateOf('aUTHORIZATION'), 'drop');
    assert.equal(rules.fateOf('X-New'), 'pass');
  });
});

describe('a Connection header', () => {
  it('usually names nothing beyond the usual', () => {
    for (const value of ['keep-alive', 'close', 'Keep-Alive', 'CLOSE', '', ' , ,', 'close, keep-alive']) {
      assert.deepEqual(namedByConnection(value), [], value);
    }
  });

  it('names headers in lower case, however it spaces them', () => {
    assert.deepEqual(namedByConnection('close,X-One ,\tx-two,Upgrade'), ['x-one', 'x-two', 'upgrade']);
  });
});

describe('a flat list without some headers', () => {
  it('keeps order, spelling and repetition of the others', () => {
    const flat = ['A', '1', 'b', '2', 'X', '3', 'a', '4', 'B', '5'];
    assert.deepEqual(withoutHeaders(flat, ['b']), ['A', '1', 'X', '3', 'a', '4']);
    assert.deepEqual(withoutHeaders([], ['b']), []);
  });
});
