// Bytes that look random, cost little and can be made again from the seed (xorshift32).

const BLOCK_WORDS = 16_384;

/** The first `size` bytes of the sequence of this seed, in blocks of at most 64 KiB. */
export function* pseudoRandomBlocks(size: number, seed: number): Generator<Buffer, void, undefined> {
  let state = (seed ^ 0x9e3779b9) | 0 || 1;
  for (let left = size; left > 0; left -= BLOCK_WORDS * 4) {
    const words = new Uint32Array(BLOCK_WORDS);
    for (let at = 0; at < BLOCK_WORDS; at += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    yield Buffer.from(words.buffer, 0, Math.min(left, BLOCK_WORDS * 4));
  }
}
