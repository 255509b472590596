import assert from 'node:assert/strict';
import { it } from 'node:test';
import { textBetween } from '../../../src/proxy/short-texts.ts';

it('a text is the one that stands there, however often, also when the memory that it stood in is used again', () => {
  const memory = Buffer.alloc(64);
  const texts = [
    '',
    'model',
    'modem',
    'größe',
    'x'.repeat(24),
    'x'.repeat(25),
    '\u{1f600}',
    'a\0b',
    'Aa',
    'BB',
  ];
  // 'Aa' and 'BB' have one hash; the rest are so many that places are shared.
  for (let number = 0; number < 2_000; number += 1) texts.push(`text ${number}`);
  for (const text of [...texts, ...texts.reverse()]) {
    const length = memory.write(text, 3);
    assert.equal(textBetween(memory, 3, 3 + length), text);
    assert.equal(textBetween(memory, 3, 3 + length), text);
  }
  const broken = Buffer.from([0x61, 0xff, 0x62]);
  assert.equal(textBetween(broken, 0, 3), 'a\ufffdb');
});
