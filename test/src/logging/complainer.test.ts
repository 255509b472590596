import assert from 'node:assert/strict';
import { it } from 'node:test';
import { complainer } from '../../../src/logging/complainer.ts';

it('says once a minute that a log cannot be written, and nothing while that is not out', () => {
  const said: string[] = [];
  let finish = (): void => {};
  let now = 5;
  const complain = complainer(
    'the log',
    '/log/app.log',
    (text, onDone) => {
      said.push(text);
      finish = onDone;
    },
    () => now,
  );
  const complainAt = (at: number): number => {
    now = at;
    complain(new Error(`no space at ${at}`));
    return said.length;
  };
  assert.equal(complainAt(5), 1);
  assert.equal(complainAt(60_006), 1, 'the first one is not out yet');
  finish();
  assert.equal(complainAt(60_004), 1, 'within the minute');
  assert.equal(complainAt(60_005), 2);
  finish();
  assert.equal(complainAt(120_004), 2);
  assert.equal(complainAt(120_005), 3);
  assert.equal(
    said[1],
    'flow-proxy: the log cannot be written to /log/app.log (no space at 60005); serving goes on\n',
  );
});
