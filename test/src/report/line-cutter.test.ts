import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineCutter } from '../../../src/report/line-cutter.ts';

const TEXT = 'one\n\nzwei mit ü\nthree\nlast without newline';
const LINES = ['one', 'zwei mit ü', 'three', 'last without newline'];

interface Cut {
  readonly lines: string[];
  endless: number;
}

/** The lines of the bytes from `start` to before `end`, in chunks of so many bytes. */
function cut(text: string, start: number, end: number, chunkBytes: number): Cut {
  const bytes = Buffer.from(text);
  const result: Cut = { lines: [], endless: 0 };
  const before = start === 0 ? 0 : 1;
  const cutter = new LineCutter({
    beginsInside: before === 1,
    length: end - start + before,
    onLine: (line) => result.lines.push(line),
    onEndless: () => {
      result.endless += 1;
    },
  });
  for (let at = start - before; at < bytes.length && !cutter.isDone; at += chunkBytes) {
    cutter.push(bytes.subarray(at, at + chunkBytes));
  }
  cutter.finish();
  return result;
}

describe('cutting a file into lines', () => {
  it('gives every line once, wherever chunks and parts are cut', () => {
    const size = Buffer.byteLength(TEXT);
    for (let chunkBytes = 1; chunkBytes <= 9; chunkBytes += 1) {
      for (let border = 0; border <= size; border += 1) {
        const [first, second] = [cut(TEXT, 0, border, chunkBytes), cut(TEXT, border, size, chunkBytes)];
        const lines = border === 0 ? second.lines : [...first.lines, ...second.lines];
        assert.deepEqual(lines, LINES, `chunks of ${chunkBytes}, border at ${border}`);
      }
    }
  });

  it('passes over a line without an end, tells of it once, and goes on after it', () => {
    const text = `before\n${'x'.repeat(3_000_000)}\nafter\n`;
    assert.deepEqual(cut(text, 0, text.length, 100_000), { lines: ['before', 'after'], endless: 1 });
    assert.deepEqual(cut(text, 2_000_000, text.length, 100_000), { lines: ['after'], endless: 0 });
  });
});
