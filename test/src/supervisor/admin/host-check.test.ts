import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isLoopback, isNamedByUs } from '../../../../src/supervisor/admin/host-check.ts';

describe('The Host header on loopback', () => {
  test('may be any name of this machine, with a port or without', () => {
    for (const header of [
      'localhost:8898',
      'LOCALHOST',
      '127.0.0.1:8898',
      '127.0.1.1',
      '[::1]:8898',
      '[::1]',
    ]) {
      assert.ok(isNamedByUs('127.0.0.1', header), header);
    }
  });

  test('may not be a name that a web page could have brought along', () => {
    for (const header of [
      undefined,
      '',
      'evil.example',
      'localhost.evil.example:8898',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      '::1',
      '[::1',
    ])
      assert.ok(!isNamedByUs('::1', header), header);
  });
});

test('Where others can connect anyway, every name is fine', () => {
  assert.ok(isNamedByUs('0.0.0.0', 'prometheus-target:8898'));
  assert.ok(!isLoopback('0.0.0.0'));
  assert.ok(!isLoopback('10.0.0.1'));
  assert.ok(isLoopback('localhost'));
});
