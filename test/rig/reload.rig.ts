// The promise of the supervisor at its full size.
import { test } from 'node:test';
import { assertReloadsUnnoticed } from '../harness/reloads-under-load.ts';

test('20 reloads in a row: no failed request, no refused connection, 200 long streams arrive byte for byte', async (t) => {
  const figures = await assertReloadsUnnoticed({ reloads: 20, streams: 200, streamMs: 40_000 }, t);
  t.diagnostic(JSON.stringify(figures));
});
