// The cost of a tick after a quiet moment: the object that keeps it low outlives garbage collections.
import assert from 'node:assert/strict';
import { executionAsyncResource } from 'node:async_hooks';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keepTickShape } from '../../../src/proxy/tick-shape.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('a tick of its own stays in memory, others do not', async () => {
  const own = watchTick(keepTickShape);
  const other = watchTick(() => process.nextTick(() => {}));
  for (let count = 0; count < 3; count += 1) {
    // What a weak reference was last asked for, or made for, is held until the turn of the loop is over.
    await turn();
    collectGarbage();
  }
  assert.ok((await own).deref() !== undefined, 'the kept tick is gone');
  assert.ok((await other).deref() === undefined, 'nothing was collected, so nothing is shown');
});

/** A weak reference to the object that Node made for the one tick that the function asks for. */
function watchTick(ask: () => void): Promise<WeakRef<object>> {
  const { nextTick } = process;
  return new Promise((resolve) => {
    process.nextTick = (callback: () => void) =>
      nextTick(() => {
        resolve(new WeakRef(executionAsyncResource()));
        callback();
      });
    ask();
    process.nextTick = nextTick;
  });
}
