import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBoundaries } from '../../../src/proxy/websocket-frames.ts';

/** A whole frame by RFC 6455 section 5.2; its mask and payload look like heads of frames. */
function frame(length: number, isMasked: boolean, opcode = 2): Buffer {
  const [short, digits] = length < 126 ? [length, 0] : length < 65_536 ? [126, 2] : [127, 8];
  const extended = Buffer.alloc(digits);
  if (digits > 0) extended.writeUIntBE(length, Math.max(0, digits - 6), Math.min(digits, 6));
  const head = Buffer.from([0x80 | opcode, short | (isMasked ? 0x80 : 0)]);
  return Buffer.concat([head, extended, Buffer.alloc((isMasked ? 4 : 0) + length, 0x88)]);
}

test('the boundaries of frames of every length are found, however the bytes are cut', () => {
  const frames = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000].flatMap((length) => [
    frame(length, false),
    frame(length, true),
  ]);
  const ends = new Set<number>([0]);
  let end = 0;
  for (const { length } of frames) {
    end += length;
    ends.add(end);
  }
  const all = Buffer.concat(frames);
  for (const step of [1, 2, 3, 7, 1_000, 65_536]) {
    const boundaries = new FrameBoundaries();
    for (let at = 0; at < all.length; at += step) {
      assert.equal(boundaries.isBetweenFrames, ends.has(at), `at ${at} by ${step}`);
      boundaries.push(all.subarray(at, at + step));
    }
    assert.ok(boundaries.isBetweenFrames);
    assert.ok(!boundaries.hasClosed);
  }
});

test('a Close frame is the last one, other control frames are not', () => {
  const boundaries = new FrameBoundaries();
  boundaries.push(frame(4, false, 9));
  assert.ok(!boundaries.hasClosed);
  boundaries.push(frame(2, false, 8));
  assert.ok(boundaries.hasClosed && boundaries.isBetweenFrames);
});
