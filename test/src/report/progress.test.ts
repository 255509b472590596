import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProgressBar } from '../../../src/report/progress.ts';

function drawn(isTTY: boolean, shares: readonly number[]): string[] {
  const texts: string[] = [];
  const bar = new ProgressBar({ isTTY, write: (text: string) => texts.push(text) });
  for (const share of shares) bar.show(share);
  bar.clear();
  return texts;
}

describe('the progress bar', () => {
  it('is drawn over itself on a terminal, once for each percent, and taken away at the end', () => {
    const texts = drawn(true, [0, 0.001, 0.5, 1]);
    assert.equal(texts.length, 4);
    assert.equal(texts[1], `\r${'█'.repeat(20)}${'░'.repeat(20)}  50 %`);
    assert.match(texts.at(-1) ?? '', /^\r +\r$/);
  });

  it('is nothing elsewhere, and where nothing was to do', () => {
    assert.deepEqual(drawn(false, [0.5]), []);
    assert.deepEqual(drawn(true, []), []);
  });
});
