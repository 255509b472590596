import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSince } from '../../../src/report/since.ts';

const NOW = Date.parse('2026-11-24T12:00:00Z');

describe('--since', () => {
  it('takes a while', () => {
    assert.equal(parseSince('90s', NOW), '2026-11-24T11:58:30.000Z');
    assert.equal(parseSince('30m', NOW), '2026-11-24T11:30:00.000Z');
    assert.equal(parseSince('1h', NOW), '2026-11-24T11:00:00.000Z');
    assert.equal(parseSince('7d', NOW), '2026-11-17T12:00:00.000Z');
    assert.equal(parseSince('2w', NOW), '2026-11-10T12:00:00.000Z');
  });

  it('takes a moment, in any time zone', () => {
    assert.equal(parseSince('2026-11-24', NOW), '2026-11-24T00:00:00.000Z');
    assert.equal(parseSince('2026-11-24T10:00:00+08:00', NOW), '2026-11-24T02:00:00.000Z');
  });

  it('takes nothing else', () => {
    for (const text of [
      '',
      '1',
      'h',
      '1 h',
      '1y',
      '-1h',
      'yesterday',
      '2026-13-01',
      '99999999999999w',
      '24 Nov 2026',
    ]) {
      assert.equal(parseSince(text, NOW), undefined, text);
    }
  });
});
