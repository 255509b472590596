import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTarget, readRequestTarget } from '../../../src/proxy/target.ts';

const target = parseTarget('https://flow.ciandt.com/flow-llm-proxy/');
const bare = parseTarget('http://127.0.0.1:8080');

/** The accepted path and query, or the status and code of the refusal. */
function read(raw: string, of = target): string {
  const result = readRequestTarget(raw, of);
  if ('code' in result) return `${result.status} ${result.code}`;
  return `${result.isForward ? 'forward' : 'reverse'} ${result.path}${result.query}`;
}

const INVALID = '400 invalid_request_target';
const OTHER_HOST = '403 host_not_allowed';
const OUTSIDE = '403 path_not_allowed';

describe('a target', () => {
  it('is an origin and a base path without the slash at its end', () => {
    assert.deepEqual(target, {
      origin: 'https://flow.ciandt.com',
      hostname: 'flow.ciandt.com',
      port: '443',
      host: 'flow.ciandt.com',
      basePath: '/flow-llm-proxy',
    });
    assert.deepEqual([bare.port, bare.host, bare.basePath], ['8080', '127.0.0.1:8080', '']);
    assert.equal(parseTarget('http://[::1]/a//').basePath, '/a');
  });
});

describe('a request target in origin form', () => {
  it('is a path relative to the base, byte for byte', () => {
    for (const raw of [
      '/v1/models',
      '/',
      '//x',
      '/v1/a%20b?x=%2e%2e/&y=http://z',
      '/v1/...',
      '/a..b/..c/d..',
    ]) {
      assert.equal(read(raw), `reverse ${raw}`);
    }
  });

  it('may have an empty query, which stays', () => {
    assert.equal(read('/v1/models?'), 'reverse /v1/models?');
  });

  it('is refused with 414 when it is longer than 16,384 characters', () => {
    assert.equal(read(`/${'a'.repeat(16_383)}`).slice(0, 9), 'reverse /');
    assert.equal(read(`/${'a'.repeat(16_384)}`), '414 uri_too_long');
  });

  it('must not have a fragment', () => {
    assert.equal(read('/v1/models#x'), INVALID);
  });
});

describe('a path that could leave the base', () => {
  const climbing = [
    '/..',
    '/../x',
    '/v1/../../x',
    '/v1/..?a',
    '/%2e%2e/x',
    '/.%2E/x',
    '/%2e./x',
    '/v1/..%2fx',
    '/v1%2f..%2Fx',
    '/v1/..\\x',
    '/v1\\..\\x',
    '/v1/..%5cx',
    '/v1%5C..%5Cx',
    '/..;/x',
    '/..;a=b/x',
    '/..%3bx/y',
    '/%252e%252e/x',
    '/%252e%252e%252fx',
    '/%25252e%25252e/x',
    '/v1/%2e%2e%3B/x',
  ];
  for (const raw of climbing) {
    it(`is refused: ${raw}`, () => {
      assert.equal(read(raw), INVALID);
      assert.equal(read(raw, bare), INVALID, 'also when the target has no base path');
      assert.equal(read(`http://flow.ciandt.com/flow-llm-proxy${raw}`), INVALID, 'also in absolute form');
    });
  }
});

describe('a request target in absolute form', () => {
  const forward = 'forward /v1/models?x=1';
  it('is accepted when it names the upstream and a path in its base', () => {
    for (const start of [
      'http://flow.ciandt.com',
      'HTTP://FLOW.CIANDT.COM',
      'https://flow.ciandt.com',
      'http://flow.ciandt.com:80',
      'http://flow.ciandt.com:443',
      'https://flow.ciandt.com:443',
    ]) {
      assert.equal(read(`${start}/flow-llm-proxy/v1/models?x=1`), forward, start);
    }
    assert.equal(read('http://127.0.0.1:8080/v1/models?x=1', bare), forward);
  });

  it('is never one of our own routes: the base itself is a path of the upstream', () => {
    assert.equal(read('http://flow.ciandt.com/flow-llm-proxy'), 'forward /');
    assert.equal(read('http://flow.ciandt.com/flow-llm-proxy/'), 'forward /');
    assert.equal(read('http://flow.ciandt.com/flow-llm-proxy?a'), 'forward /?a');
    assert.equal(read('http://127.0.0.1:8080', bare), 'forward /');
  });

  it('is refused for any other host or port', () => {
    for (const authority of [
      'example.com',
      'flow.ciandt.com.evil.com',
      'evil-flow.ciandt.com',
      'flow.ciandt.com:8443',
      'flow.ciandt.com.',
      '127.0.0.1',
      '[::1]',
    ]) {
      assert.equal(read(`http://${authority}/flow-llm-proxy/v1/models`), OTHER_HOST, authority);
    }
    assert.equal(read('http://127.0.0.1:9090/v1', bare), OTHER_HOST);
  });

  it('is refused outside the base, also next to it', () => {
    for (const path of [
      '',
      '/',
      '/v1/models',
      '/flow-llm-proxyX',
      '/flow-llm-proxy-2/v1',
      '/FLOW-LLM-PROXY/v1',
      '//flow-llm-proxy/v1',
      '/flow-llm-proxy%2fv1',
    ]) {
      assert.equal(read(`http://flow.ciandt.com${path}`), OUTSIDE, path);
    }
  });

  it('is refused with user information, which is not repeated', () => {
    for (const authority of [
      'u:CANARY@flow.ciandt.com',
      'CANARY@flow.ciandt.com',
      '@flow.ciandt.com',
      'flow.ciandt.com@evil.com',
    ]) {
      const result = readRequestTarget(`http://${authority}/flow-llm-proxy/v1`, target);
      assert.ok('code' in result && result.status === 400, authority);
      assert.doesNotMatch(result.message, /CANARY/);
    }
  });
});

describe('a request target that is nothing of the kind', () => {
  for (const raw of [
    '',
    '*',
    'v1/models',
    'flow.ciandt.com:443',
    'http://',
    'http:///',
    'http://[::bad/',
    'http://[::1',
    'http://a b/',
    'http://flow.ciandt.com:99999/',
    'http://flow.ciandt.com:port/',
    'http://%/',
    'ftp://flow.ciandt.com/flow-llm-proxy',
    'javascript:alert(1)',
    'http:/flow.ciandt.com/',
    '?x',
    '\\\\flow.ciandt.com',
    '\0',
  ]) {
    it(`is refused and throws nothing: ${JSON.stringify(raw)}`, () => {
      assert.equal(read(raw), INVALID);
      assert.equal(read(raw, bare), INVALID);
    });
  }
});
