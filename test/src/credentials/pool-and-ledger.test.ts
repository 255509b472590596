import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE } from './sample-pool.ts';
import { Simulation } from './simulation.ts';

const CHAOS = 15 * MINUTE;

describe('workers and primary, over half an hour of random faults, delays and deaths', () => {
  for (const [workers, credentials] of [
    [1, 1],
    [1, 3],
    [2, 2],
    [3, 4],
    [8, 3],
  ] as const) {
    it(`with ${workers} workers and ${credentials} credentials, never probe one twice at once, never bring one back before its time, never take the last one out for a rejection, and end with all of them in`, () => {
      for (let seed = 1; seed <= 4; seed += 1) {
        const simulation = new Simulation({ workers, credentials, seed });
        simulation.run(CHAOS, true);
        simulation.run(2 * CHAOS, false);
        assert.ok(simulation.recovered.length > 0, 'some have been out and come back');
        const open = simulation.ledger.snapshot().credentials.flatMap(({ suspensions }) => suspensions);
        assert.deepEqual(open, [], `seed ${seed}: once the upstream is fine, nobody stays out`);
      }
    });
  }
});
