import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findOutboundProxy, isExempt, parseProxyUrl } from '../../../src/config/outbound-proxy.ts';

const HTTPS = 'https://flow.ciandt.com/flow-llm-proxy';
const HTTP = 'http://flow.ciandt.com/flow-llm-proxy';

describe('the proxy variables', () => {
  it('are chosen by the scheme of the target, and no other is looked at', () => {
    const variables = { HTTPS_PROXY: 'http://s:1', HTTP_PROXY: 'http://p:1' };
    assert.equal(findOutboundProxy(HTTPS, [variables])?.variable, 'HTTPS_PROXY');
    assert.equal(findOutboundProxy(HTTP, [variables])?.variable, 'HTTP_PROXY');
    assert.equal(findOutboundProxy(HTTPS, [{ HTTP_PROXY: 'http://p:1' }]), null);
  });

  it('win in lower case over upper case', () => {
    const variables = { https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1' };
    assert.deepEqual(findOutboundProxy(HTTPS, [variables]), {
      variable: 'https_proxy',
      text: 'http://lower:1',
    });
    assert.equal(
      findOutboundProxy(HTTPS, [{ ...variables, no_proxy: 'other.com', NO_PROXY: '*' }])?.text,
      'http://lower:1',
    );
  });

  it('count as unset when empty', () => {
    assert.equal(
      findOutboundProxy(HTTPS, [{ https_proxy: '', HTTPS_PROXY: ' http://upper:1 ' }])?.text,
      'http://upper:1',
    );
  });

  it('are taken from the first source that has them, whatever their case', () => {
    const sources = [{ HTTPS_PROXY: 'http://first:1' }, { https_proxy: 'http://second:1' }];
    assert.equal(findOutboundProxy(HTTPS, sources)?.text, 'http://first:1');
    assert.equal(findOutboundProxy(HTTPS, [...sources, { no_proxy: 'ciandt.com' }]), null);
  });
});

describe('NO_PROXY', () => {
  const exempt: readonly [url: string, list: string][] = [
    [HTTPS, '*'],
    [HTTPS, 'flow.ciandt.com'],
    [HTTPS, 'FLOW.CIANDT.COM.'],
    [HTTPS, 'a.com, ciandt.com'],
    [HTTPS, 'a.com b.com .ciandt.com'],
    [HTTPS, '*.ciandt.com'],
    [HTTPS, 'ciandt.com:443'],
    ['https://flow.ciandt.com:8443', 'ciandt.com:8443'],
    ['http://127.0.0.1:9', '127.0.0.1'],
    ['http://[::1]:9', '::1'],
    ['http://[::1]:9', '[::1]:9'],
  ];
  for (const [url, list] of exempt) {
    it(`exempts ${url} by "${list}"`, () => assert.equal(isExempt(new URL(url), list), true));
  }

  const proxied: readonly [url: string, list: string][] = [
    [HTTPS, ''],
    [HTTPS, 'dt.com'],
    [HTTPS, 'my.flow.ciandt.com'],
    [HTTPS, 'ciandt.com:80'],
    [HTTPS, '.'],
    ['http://1.2.3.4', '3.4'],
    ['http://[::1]:9', '[::1]:8'],
  ];
  for (const [url, list] of proxied) {
    it(`does not exempt ${url} by "${list}"`, () => assert.equal(isExempt(new URL(url), list), false));
  }
});

describe('a proxy URL', () => {
  it('may leave out its scheme and keeps user and password', () => {
    assert.equal(parseProxyUrl('corp:3128'), 'http://corp:3128/');
    assert.equal(parseProxyUrl('u:p@corp:3128'), 'http://u:p@corp:3128/');
    assert.equal(parseProxyUrl('https://corp'), 'https://corp/');
  });

  it('is refused with another scheme, a path or white space', () => {
    for (const text of ['socks5://a:1', 'http://a/b', 'http://a/?x', 'http://a b', 'http://', 'http://a:x']) {
      assert.equal(parseProxyUrl(text), undefined, text);
    }
  });
});
