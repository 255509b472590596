import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { affinitySeed, pickByAffinity } from '../../../src/credentials/affinity.ts';
import { tally } from './sample-pool.ts';

interface Candidate {
  readonly name: string;
  readonly weight: number;
  readonly seed: number;
}

/** Candidates called a, b, c… with these weights; ids as long and as alike as real ones. */
function candidates(...weights: number[]): Candidate[] {
  return weights.map((weight, index) => {
    const name = String.fromCharCode(97 + index);
    return { name, weight, seed: affinitySeed(`0123456789a${name}`) };
  });
}

const keys = Array.from({ length: 20_000 }, (_, index) => `session-${index}`);
const pick = (from: readonly Candidate[], key: string): string =>
  pickByAffinity(from, key)?.name ?? assert.fail('nothing was picked');

describe('affinity', () => {
  it('picks the same credential for the same conversation, in whatever order they are listed', () => {
    const all = candidates(1, 2, 4);
    const reversed = [...all].reverse();
    for (const key of keys.slice(0, 500)) assert.equal(pick(all, key), pick(reversed, key));
  });

  for (const weights of [
    [1, 1, 1],
    [1, 2, 4],
    [2.5, 0.5],
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
  ]) {
    it(`spreads 20,000 conversations within 10 % of the weights ${weights.join(':')}`, () => {
      const all = candidates(...weights);
      const counts = tally(keys.map((key) => pick(all, key)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const { name, weight } of all) {
        const expected = (keys.length * weight) / total;
        const actual = counts[name] ?? 0;
        assert.ok(Math.abs(actual / expected - 1) < 0.1, `${name}: ${actual}, expected ${expected}`);
      }
    });
  }

  it('moves exactly the conversations of a credential that goes, and all of them come back with it', () => {
    const all = candidates(1, 2, 4, 1);
    const left = all.filter(({ name }) => name !== 'b');
    const moved = new Set<string>();
    for (const key of keys) {
      const before = pick(all, key);
      const after = pick(left, key);
      if (before === 'b') moved.add(after);
      else assert.equal(after, before, key);
    }
    assert.deepEqual([...moved].sort(), ['a', 'c', 'd'], 'they spread over all that stay');
  });

  it('moves conversations only to a credential whose weight grows', () => {
    const before = candidates(1, 1, 1);
    const after = candidates(1, 3, 1);
    for (const key of keys) if (pick(after, key) !== pick(before, key)) assert.equal(pick(after, key), 'b');
  });

  it('is the same in every process and version: a reload moves no conversation', () => {
    const all = candidates(1, 2, 4);
    assert.deepEqual(
      ['', 'a', 'session-1', 'user_9f8e', 'ключ'].map((key) => [key, affinitySeed(key), pick(all, key)]),
      // Worked out by other means: FNV-1a over the code units, then MurmurHash3's finalizer.
      [
        ['', 2_872_998_923, 'b'],
        ['a', 444_641_715, 'a'],
        ['session-1', 599_268_235, 'c'],
        ['user_9f8e', 2_901_912_173, 'c'],
        ['ключ', 3_185_335_672, 'c'],
      ],
    );
  });

  it('picks nothing among nobody, and the only one there is', () => {
    assert.equal(pickByAffinity([], 'key'), undefined);
    assert.equal(pick(candidates(0.001), 'key'), 'a');
  });
});
