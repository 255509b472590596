import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALL_METRICS } from '../../../src/metrics/catalogue.ts';
import { counter, histogram } from '../../../src/metrics/definition.ts';
import { expose } from '../../../src/metrics/exposition.ts';
import { Scrape } from '../../harness/scrape.ts';

describe('The text of a scrape', () => {
  test('gives back any label value, however it is quoted', async () => {
    const odd = 'a"b\\c\nd é';
    const text = await expose([
      { definition: counter('tokens_total', 'Tokens.', ['model']), series: [[[odd], [3]]] },
    ]);
    assert.deepEqual(new Scrape(text).samples, [
      { name: 'flow_proxy_tokens_total', labels: { model: odd }, value: 3 },
    ]);
  });

  test('adds up the buckets of a histogram', async () => {
    const text = await expose([
      { definition: histogram('wait_seconds', 'Wait.', [], [0.1, 1]), series: [[[], [2, 3, 1, 4.5]]] },
    ]);
    const scrape = new Scrape(text);
    const bucket = (le: string): number => scrape.sum('flow_proxy_wait_seconds_bucket', { le });
    assert.deepEqual(['0.1', '1', '+Inf'].map(bucket), [2, 5, 6]);
    assert.equal(scrape.sum('flow_proxy_wait_seconds_count'), 6);
    assert.equal(scrape.sum('flow_proxy_wait_seconds_sum'), 4.5);
  });
});

describe('Every metric', () => {
  test('is named by the conventions: base units, _total for counters only', () => {
    for (const { name, kind } of ALL_METRICS) {
      assert.match(name, /^[a-z][a-z_]*$/);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb|percent)(_|$)/, name);
      if (kind === 'histogram') assert.match(name, /_seconds$/);
    }
  });

  test('has a name of its own and a help', () => {
    assert.equal(new Set(ALL_METRICS.map(({ name }) => name)).size, ALL_METRICS.length);
    for (const { name, help } of ALL_METRICS) assert.match(help, /^[A-Z0-9].+\.$/, name);
  });
});
