import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AllowedClients } from '../../../src/clients/allowed-clients.ts';

const allows = (list: readonly string[], address: string | undefined) =>
  new AllowedClients(list).allows(address);

describe('private networks', () => {
  const nearby = new AllowedClients(['private']);

  it('are loopback, the private, link-local and carrier-grade ranges of both families', () => {
    const addresses = [
      '127.0.0.1',
      '127.255.0.9',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.77.1',
      '169.254.1.1',
      '100.64.0.1',
      '::1',
      'fc00::1',
      'fdff:1::1',
      'fe80::1',
      'fe80::1%eth0',
    ];
    for (const address of addresses) assert.equal(nearby.allows(address), true, address);
  });

  it('are not the internet', () => {
    const addresses = [
      '8.8.8.8',
      '172.32.0.1',
      '172.15.255.255',
      '192.169.0.1',
      '100.128.0.1',
      '11.0.0.1',
      '0.0.0.0',
      '::',
      '2001:db8::1',
      'fec0::1',
      '::ffff:8.8.8.8',
    ];
    for (const address of addresses) assert.equal(nearby.allows(address), false, address);
  });

  it('hold IPv4 addresses mapped into IPv6, as a server that listens on :: sees them', () => {
    assert.equal(nearby.allows('::ffff:127.0.0.1'), true);
    assert.equal(nearby.allows('::ffff:10.1.2.3'), true);
  });
});

describe('a list of clients', () => {
  it('allows what it names and nothing else', () => {
    const list = ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7'];
    assert.equal(allows(list, '203.0.113.200'), true);
    assert.equal(allows(list, '2001:db8:1::1'), true);
    assert.equal(allows(list, '198.51.100.7'), true);
    assert.equal(allows(list, '198.51.100.8'), false);
    assert.equal(allows(list, '127.0.0.1'), false);
  });

  it('can add to the private networks', () => {
    assert.equal(allows(['private', '203.0.113.0/24'], '127.0.0.1'), true);
    assert.equal(allows(['private', '203.0.113.0/24'], '203.0.113.1'), true);
  });

  it('allows everyone with *, also when the address is not known any more', () => {
    assert.equal(allows(['*'], '8.8.8.8'), true);
    assert.equal(allows(['*'], undefined), true);
  });

  it('allows nobody whose address is unknown or no address', () => {
    assert.equal(allows(['private'], undefined), false);
    assert.equal(allows(['private'], 'localhost'), false);
  });

  it('says the same when it is asked again, however many others come between', () => {
    const clients = new AllowedClients(['10.0.0.0/8']);
    for (let i = 0; i < 25_000; i += 1) {
      const address = `${i % 2 === 0 ? 10 : 11}.0.${(i >> 8) & 0xff}.${i & 0xff}`;
      assert.equal(clients.allows(address), address.startsWith('10.'));
    }
  });
});
