import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressList, mappedAddress, parseAddressRange } from '../../../src/config/address-ranges.ts';

describe('a range of addresses', () => {
  it('is an address with or without the length of its prefix', () => {
    assert.deepEqual(parseAddressRange('10.1.2.3'), { address: '10.1.2.3', prefix: 32, family: 'ipv4' });
    assert.deepEqual(parseAddressRange('10.0.0.0/8'), { address: '10.0.0.0', prefix: 8, family: 'ipv4' });
    assert.deepEqual(parseAddressRange('0.0.0.0/0'), { address: '0.0.0.0', prefix: 0, family: 'ipv4' });
    assert.deepEqual(parseAddressRange('fc00::/7'), { address: 'fc00::', prefix: 7, family: 'ipv6' });
    assert.deepEqual(parseAddressRange('::1'), { address: '::1', prefix: 128, family: 'ipv6' });
  });

  it('is one of IPv4 when it is mapped into IPv6', () => {
    const expected = { address: '10.0.0.0', prefix: 8, family: 'ipv4' };
    assert.deepEqual(parseAddressRange('::ffff:10.0.0.0/104'), expected);
    assert.deepEqual(parseAddressRange('::FFFF:0a00:0000/104'), expected);
  });

  it('is refused when it is anything else', () => {
    for (const text of [
      '',
      '10',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '/8',
      'host',
      '1.2.3.4:80',
    ]) {
      assert.equal(parseAddressRange(text), undefined, text);
    }
    assert.equal(parseAddressRange('fe80::1%eth0'), undefined);
    assert.equal(parseAddressRange('10.0.0.256'), undefined);
  });
});

describe('an IPv6 address', () => {
  it('holds an IPv4 address however it is spelled', () => {
    for (const text of ['::ffff:192.168.1.9', '::FFFF:c0a8:109', '0:0:0:0:0:ffff:192.168.1.9']) {
      assert.equal(mappedAddress(text), '192.168.1.9', text);
    }
    assert.equal(mappedAddress('::1'), undefined);
    assert.equal(mappedAddress('::192.168.1.9'), undefined);
  });
});

describe('a list of clients', () => {
  const { parse } = addressList();

  it('holds addresses, ranges and the word private, with spaces as one likes', () => {
    assert.deepEqual(parse('10.0.0.0/8, ::1 ,Private'), ['10.0.0.0/8', '::1', 'private']);
    assert.deepEqual(parse(''), []);
  });

  it('is the whole world only when that is all it says', () => {
    assert.deepEqual(parse('*'), ['*']);
    assert.equal(parse('*,10.0.0.0/8'), undefined);
  });

  it('is refused when one part of it is nothing known', () => {
    for (const text of ['10.0.0.0/8,', 'all', '10.0.0.0/8 ::1', '10.0.0.0-10.0.0.9']) {
      assert.equal(parse(text), undefined, text);
    }
  });
});
