import assert from 'node:assert/strict';
import { it } from 'node:test';
import { JsonEnd } from '../../../src/proxy/json-end.ts';

function isWhole(bytes: Buffer, piece = bytes.length): boolean {
  const end = new JsonEnd();
  for (let at = 0; at < bytes.length; at += piece) end.push(bytes.subarray(at, at + piece));
  return end.isReached;
}

it('JSON is whole where it ends and nowhere before, whatever is in its texts and however it is cut into pieces', () => {
  for (const value of [
    { a: [1, { b: '}]"\\' }], 'c"': '\\\\', d: 'ключ' },
    [[], {}, '{'],
    { text: '\\"}' },
  ]) {
    const bytes = Buffer.from(JSON.stringify(value));
    for (let length = 1; length < bytes.length; length += 1)
      assert.equal(isWhole(bytes.subarray(0, length)), false, String(bytes.subarray(0, length)));
    for (let piece = 1; piece <= bytes.length; piece += 1) assert.equal(isWhole(bytes, piece), true);
    assert.equal(isWhole(Buffer.from(`\n ${bytes} \n`)), true);
  }
  assert.equal(isWhole(Buffer.from('')), true, 'of nothing nothing is missing');
});
