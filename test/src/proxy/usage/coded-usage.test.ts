import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { CodedUsage } from '../../../../src/proxy/usage/coded-usage.ts';
import type { Tokens } from '../../../../src/proxy/usage/token-usage.ts';
import { RandomAnswer } from './random-answer.ts';

const PACK = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync };
const answer = (content: string): string =>
  JSON.stringify({ choices: [{ message: { content } }], usage: { prompt_tokens: 8, completion_tokens: 3 } });

function read(kind: 'json' | 'events', coding: string, bytes: Buffer): Promise<Tokens | null> {
  const usage = new CodedUsage(kind, coding);
  for (const piece of new RandomAnswer(1).cut(bytes)) usage.push(piece);
  return new Promise((resolve) => usage.read(() => resolve(usage.tokens)));
}

describe('Tokens of a compressed answer', () => {
  for (const [coding, pack] of Object.entries(PACK)) {
    test(`are read after its end (${coding})`, async () => {
      const expected = { input: 8, output: 3, cached: 0 };
      assert.deepEqual(await read('json', coding, pack(answer('Hi'))), expected);
      assert.deepEqual(await read('events', coding, pack(`data: ${answer('Hi')}\n\n`)), expected);
    });
  }

  test('are unknown when it is broken, cut off, in an unknown coding, or in several', async () => {
    const packed = gzipSync(answer('Hi'));
    assert.equal(await read('json', 'gzip', packed.subarray(0, 40)), null);
    assert.equal(await read('json', 'gzip', Buffer.from('no gzip')), null);
    assert.equal(await read('json', 'gzip', Buffer.alloc(0)), null);
    assert.equal(await read('json', 'zstd', packed), null);
    assert.equal(await read('json', 'gzip, gzip', packed), null);
    assert.equal(await read('json', 'constructor', packed), null);
  });

  test('are unknown when it is large, packed or unpacked: no bomb is unpacked', async () => {
    assert.equal(await read('json', 'gzip', gzipSync(answer('x'.repeat(5_000_000)))), null);
    const random = Array.from({ length: 40_000 }, (_, index) => Math.sin(index)).join();
    assert.equal(await read('json', 'gzip', gzipSync(answer(random))), null);
  });
});
