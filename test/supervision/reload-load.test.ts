// What clients notice of reloads: nothing. The same with 20 reloads and 200 streams is test/rig/reload.rig.ts.
import { test } from 'node:test';
import { assertReloadsUnnoticed } from '../harness/reloads-under-load.ts';

test("5 rolling reloads in a row cost no client of any kind anything (needs Debian's apache2-utils)", async (t) => {
  const figures = await assertReloadsUnnoticed({ reloads: 5, streams: 60, streamMs: 6_000 }, t);
  t.diagnostic(JSON.stringify(figures));
});

test('nor do they with a single worker, which takes its connections by itself', async (t) => {
  const load = { reloads: 3, streams: 20, streamMs: 4_000, workers: 1 };
  t.diagnostic(JSON.stringify(await assertReloadsUnnoticed(load, t)));
});
