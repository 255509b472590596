import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineJoiner } from '../../../src/logging/line-joiner.ts';

/** What comes out of these chunks, and of the end. */
function join(...chunks: (string | Buffer)[]): string[] {
  const out: string[] = [];
  const joiner = new LineJoiner((lines) => out.push(lines));
  for (const chunk of chunks) joiner.push(Buffer.from(chunk));
  joiner.finish();
  return out;
}

describe('the line joiner', () => {
  it('gives whole lines only, several at once when they came together', () => {
    assert.deepEqual(join('a\nb\nc', 'd\n', 'e', 'f\n'), ['a\nb\n', 'cd\n', 'ef\n']);
  });

  it('never breaks a character, wherever the chunks are cut', () => {
    const text = 'größe ✓ \u{1f600}\nзадача\n';
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      assert.equal(join(bytes.subarray(0, at), bytes.subarray(at)).join(''), text, `cut at ${at}`);
    }
    assert.equal(join(...[...bytes].map((byte) => Buffer.from([byte]))).join(''), text);
  });

  it('makes a line of what a source leaves without a newline, and nothing of nothing', () => {
    assert.deepEqual(join('a\nrest'), ['a\n', 'rest\n']);
    assert.deepEqual(join('a\n'), ['a\n']);
    assert.deepEqual(join(''), []);
  });

  it('shows half a character at the end as the replacement character', () => {
    assert.deepEqual(join(Buffer.from('aé').subarray(0, 2)), ['a\ufffd\n']);
  });

  it('keeps no more than about a megabyte of a line that never ends', () => {
    const out: string[] = [];
    const joiner = new LineJoiner((lines) => out.push(lines));
    for (let i = 0; i < 48; i += 1) joiner.push(Buffer.alloc(64 * 1024, 'x'));
    assert.equal(out.length, 2);
    joiner.finish();
    assert.equal(out.join('').replaceAll('\n', '').length, 48 * 64 * 1024, 'and loses none of it');
  });

  it('can go on after its end', () => {
    const out: string[] = [];
    const joiner = new LineJoiner((lines) => out.push(lines));
    joiner.push(Buffer.from('a'));
    joiner.finish();
    joiner.finish();
    joiner.push(Buffer.from('b\n'));
    assert.deepEqual(out, ['a\n', 'b\n']);
  });
});
