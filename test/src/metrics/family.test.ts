import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counter, histogram } from '../../../src/metrics/definition.ts';
import { Family } from '../../../src/metrics/family.ts';
import { sumsOf } from '../../../src/metrics/sums.ts';

describe('A family of series', () => {
  test('keeps one series for each combination of values', () => {
    const family = new Family(counter('tokens_total', '', ['model', 'client']));
    family.at('gpt-4o', 'anna').add(2);
    family.at('gpt-4o', 'ben').add(3);
    family.at('gpt-4o', 'anna').add(4);
    assert.deepEqual(sumsOf([family]), {
      tokens_total: [
        [['gpt-4o', 'anna'], [6]],
        [['gpt-4o', 'ben'], [3]],
      ],
    });
  });

  test('without labels is one series', () => {
    const family = new Family(counter('lines_total', ''));
    family.at().add(1);
    family.at().add(1);
    assert.deepEqual(sumsOf([family]), { lines_total: [[[], [2]]] });
  });

  test('counts models beyond its bound as other, however many a client makes up, and loses none', () => {
    const family = new Family(counter('tokens_total', '', ['model', 'credential', 'client']));
    for (let made = 0; made < 10_000; made += 1) family.at(`made-up-${made}`, 'team-a', 'none').add(1);
    family.at('made-up-1', 'team-a', 'none').add(1);
    assert.equal(family.series.length, 101);
    assert.deepEqual(family.at('one more', 'team-a', 'none').labels, ['other', 'team-a', 'none']);
    assert.equal(total(family), 10_001);
  });

  test('has a bound for all series together, where models, credentials and keys multiply', () => {
    const family = new Family(counter('tokens_total', '', ['model', 'credential', 'client']));
    for (let model = 0; model < 90; model += 1) {
      for (let client = 0; client < 90; client += 1) family.at(`m${model}`, 'team-a', `c${client}`).add(1);
    }
    assert.ok(family.series.length <= 2_001, `${family.series.length}`);
    assert.equal(total(family), 8_100);
  });

  test('cuts a name that is too long to be one', () => {
    const family = new Family(counter('tokens_total', '', ['model']));
    const [label = ''] = family.at('x'.repeat(500)).labels;
    assert.ok(label.length <= 101);
    assert.equal(family.at('x'.repeat(500)), family.at('x'.repeat(500)));
  });
});

describe('A histogram', () => {
  test('counts each observation in the first bucket that is not below it, and sums them up', () => {
    const family = new Family(histogram('seconds', '', [], [0.1, 1]));
    for (const value of [0.05, 0.1, 0.5, 1, 7]) family.at().observe(value);
    const [series] = sumsOf([family])['seconds'] ?? [];
    assert.deepEqual(series?.[1].slice(0, 3), [2, 2, 1]);
    assert.ok(Math.abs((series?.[1][3] ?? 0) - 8.65) < 1e-9);
  });
});

function total(family: Family): number {
  return family.series.reduce((sum, { figures }) => sum + (figures[0] ?? 0), 0);
}
