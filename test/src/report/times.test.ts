import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addTime, emptyTimes, mergeTimes, percentile } from '../../../src/report/times.ts';

describe('a distribution of durations', () => {
  it('tells percentiles that are never too low and at most a tenth too high', () => {
    const times = emptyTimes();
    for (let ms = 1; ms <= 1_000; ms += 1) addTime(times, ms);
    for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
      const [told, exact] = [percentile(times, share) ?? 0, share * 1_000];
      assert.ok(told >= exact * 0.99 && told <= exact * 1.1, `${share}: ${told}`);
    }
  });

  it('of two together is that of all durations', () => {
    const [all, one, two] = [emptyTimes(), emptyTimes(), emptyTimes()];
    for (const ms of [0, 0.4, 3, 700, 3_600_000]) {
      addTime(all, ms);
      addTime(ms < 5 ? one : two, ms);
    }
    mergeTimes(one, two);
    assert.deepEqual(one, all);
  });

  it('tells nothing of nothing', () => {
    assert.equal(percentile(emptyTimes(), 0.5), null);
  });
});
