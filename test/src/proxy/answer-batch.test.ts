// When the answers of one turn of the loop go out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AnswerBatch } from '../../../src/proxy/answer-batch.ts';

const MOST_WAITING = 64;

/** Adds answers that note their numbers when they go out. */
function startBatch(): { readonly out: number[]; readonly add: (from: number, to: number) => void } {
  const batch = new AnswerBatch();
  const out: number[] = [];
  const add = (from: number, to: number): void => {
    for (let number = from; number < to; number += 1) batch.add({ goOut: () => out.push(number) });
  };
  return { out, add };
}

const numbers = (to: number): number[] => Array.from({ length: to }, (_, number) => number);

test('answers wait until this turn has read what has come in, then go out in order', async () => {
  const { out, add } = startBatch();
  add(0, 3);
  await Promise.resolve();
  assert.deepEqual(out, []);
  add(3, 5);
  await turn();
  assert.deepEqual(out, numbers(5));
  add(5, 6);
  await turn();
  assert.deepEqual(out, numbers(6), 'also in a later turn');
});

test('the first of many does not wait for the last', async () => {
  const { out, add } = startBatch();
  add(0, MOST_WAITING - 1);
  assert.deepEqual(out, []);
  add(MOST_WAITING - 1, MOST_WAITING + 10);
  assert.deepEqual(out, numbers(MOST_WAITING));
  await turn();
  assert.deepEqual(out, numbers(MOST_WAITING + 10));
});

test('what becomes ready while others go out is not forgotten', async () => {
  const batch = new AnswerBatch();
  const out: string[] = [];
  batch.add({
    goOut: () => {
      out.push('first');
      batch.add({ goOut: () => out.push('second') });
    },
  });
  await turn();
  await turn();
  assert.deepEqual(out, ['first', 'second']);
});
