import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { accessName, accessWarning, clientAccess, describeAccess } from '../../../src/clients/access.ts';

const access = (allowed: readonly string[], keysFile: string | null) =>
  clientAccess({ allowed, keysFile, tls: null });
const PLAIN = { host: '0.0.0.0', isSecure: false };

describe('who may come in', () => {
  it('is private networks when nothing is set', () => {
    assert.deepEqual(access([], null), { needsKey: false, allowed: ['private'] });
    assert.equal(accessName(access([], null)), 'private networks');
  });

  it('is the list when one is set, and everyone only by *', () => {
    assert.equal(accessName(access(['203.0.113.0/24', 'private'], null)), 'listed addresses');
    assert.equal(accessName(access(['*'], null)), 'everyone');
  });

  it('is whoever has a key when there are keys, from anywhere unless a list is set as well', () => {
    assert.deepEqual(access([], 'keys.json'), { needsKey: true, allowed: ['*'] });
    assert.equal(accessName(access([], 'keys.json')), 'keys');
    assert.deepEqual(access(['private'], 'keys.json'), { needsKey: true, allowed: ['private'] });
    assert.equal(accessName(access(['private'], 'keys.json')), 'keys and listed addresses');
  });

  it('is told in words', () => {
    assert.equal(
      describeAccess(access([], null), 0),
      'every client from loopback and private networks, without a key',
    );
    assert.equal(
      describeAccess(access(['10.0.0.0/8', '::1'], 'k'), 3),
      'clients with one of 3 client keys, from 10.0.0.0/8, ::1',
    );
    assert.equal(describeAccess(access([], 'k'), 0), 'nobody: there are no client keys');
  });
});

describe('the warning at the start', () => {
  it('is not given while only this machine can connect', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', 'proxy.localhost']) {
      assert.equal(accessWarning({ host, isSecure: false }, access(['*'], null), 0), undefined, host);
    }
  });

  it('says who may come in when others can connect', () => {
    assert.match(
      accessWarning(PLAIN, access([], null), 0) ?? '',
      /^Listening on 0\.0\.0\.0: who may come in is every client from loopback and private networks, without a key; .*FLOW_PROXY_ALLOWED_CLIENTS/,
    );
    assert.match(
      accessWarning(PLAIN, access(['*'], null), 0) ?? '',
      /every client from anywhere, without a key/,
    );
  });

  it('says that keys cross the network unencrypted, when they do', () => {
    assert.match(accessWarning(PLAIN, access([], 'k'), 2) ?? '', /one of 2 client keys.*unencrypted/);
    const secure = accessWarning({ host: '::', isSecure: true }, access([], 'k'), 2) ?? '';
    assert.match(secure, /one of 2 client keys, from anywhere$/);
  });
});
