import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadConfiguration } from '../../../src/configuration.ts';
import type { Launch } from '../../../src/supervisor/launch.ts';
import { type Rollable, roll } from '../../../src/supervisor/roll.ts';
import type { Boot } from '../../../src/supervisor/worker-handle.ts';
import { withConfiguration } from './sample-configuration.ts';
import { silentLogger } from './silent-logger.ts';

const { generation } = loadConfiguration(withConfiguration(), 1);
const OLD: Launch = { generation, workerFile: 'old.js', heapBytes: 1 };
const NEW: Launch = { generation: { ...generation, number: 2 }, workerFile: 'new.js', heapBytes: 1 };
const READY: Boot = { type: 'ready', port: 1 };

/** Slots that note what is replaced; `failing` cannot be replaced by the new launch. */
function slotsOf(size: number, failing?: number): { slots: Rollable; replaced: string[] } {
  const replaced: string[] = [];
  const slots: Rollable = {
    size,
    launch: OLD,
    replace: async (number, launch) => {
      replaced.push(`${number} by ${launch.workerFile}, else ${slots.launch.workerFile}`);
      return number === failing && launch === NEW ? { type: 'failed', reason: 'it ended' } : READY;
    },
  };
  return { slots, replaced };
}

describe('a roll', () => {
  it('replaces slot by slot; once one worker has shown that it serves, a dead one is followed by its like', async () => {
    const { slots, replaced } = slotsOf(3);
    assert.deepEqual(await roll(slots, NEW, silentLogger), { type: 'done' });
    assert.deepEqual(replaced, [
      '0 by new.js, else old.js',
      '1 by new.js, else new.js',
      '2 by new.js, else new.js',
    ]);
  });

  it('stops at a worker that cannot serve, and takes back what it has replaced', async () => {
    const { slots, replaced } = slotsOf(4, 2);
    const result = await roll(slots, NEW, silentLogger);
    assert.deepEqual(result, { type: 'failed', reason: 'the new worker 2 cannot serve: it ended' });
    assert.deepEqual(replaced.slice(3), ['0 by old.js, else old.js', '1 by old.js, else old.js']);
    assert.equal(slots.launch, OLD);
  });

  it('says that it has failed before workers of the old settings are forked again, and only then', async () => {
    const { slots, replaced } = slotsOf(4, 2);
    const before: number[] = [];
    await roll(slots, NEW, silentLogger, () => before.push(replaced.length));
    await roll(slotsOf(2).slots, NEW, silentLogger, () => before.push(-1));
    assert.deepEqual(before, [3]);
  });

  it('of no slots at all, as while drained, decides what the next workers are', async () => {
    const { slots } = slotsOf(0);
    await roll(slots, NEW, silentLogger);
    assert.equal(slots.launch, NEW);
  });
});
