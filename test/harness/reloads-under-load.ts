// Many reloads in a row, each replacing every worker, with every kind of client on the line; see
// test/supervision/reload-load.test.ts and test/rig/reload.rig.ts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { reload, setInEnvFile, statusOf } from './control.ts';
import { type Scope, startFlowProxy } from './flow-proxy.ts';
import { startKnownUpstream } from './known-upstream.ts';
import { PostLoops, readStreams } from './traffic.ts';

const run = promisify(execFile);
const CREDENTIAL = { name: 'one', clientId: 'one', clientSecret: 'secret-of-one-0123', tenant: 'tenant' };
const INTERVAL_MS = 250;
/** Between two runs of a load generator. */
const PAUSE_MS = 200;

export interface ReloadLoad {
  readonly reloads: number;
  readonly streams: number;
  /** The streams last at least as long as the reloads are expected to. */
  readonly streamMs: number;
  /** Two, unless told otherwise. */
  readonly workers?: number;
}

/** Asserts that no client notices anything. @returns how much there was that could have gone wrong */
export async function assertReloadsUnnoticed(
  { reloads, streams, streamMs, workers = 2 }: ReloadLoad,
  scope: Scope,
): Promise<Readonly<Record<string, number>>> {
  const upstream = await startKnownUpstream(scope);
  const proxy = await startFlowProxy(
    { upstream: upstream.url, credentials: [CREDENTIAL], settings: { NUM_WORKERS: workers } },
    scope,
  );
  const loops = new PostLoops(proxy.url, 4);
  scope.after(() => loops.stop());
  const streaming = readStreams(proxy.url, streams, Math.ceil(streamMs / INTERVAL_MS), INTERVAL_MS);
  let isOver = false;
  const asLongAsItLasts = async (once: () => Promise<void>): Promise<number> => {
    let runs = 0;
    for (; !isOver; runs += 1) {
      await once();
      await pause(PAUSE_MS);
    }
    return runs;
  };
  const benches = asLongAsItLasts(async () => {
    const { stdout } = await run('ab', ['-q', '-n', '100', '-c', '4', `${proxy.url}/v1/models`]);
    assert.match(stdout, /Failed requests: +0\n/);
    assert.doesNotMatch(stdout, /Non-2xx/);
  });
  const cannons = asLongAsItLasts(async () => {
    const result = await autocannon({
      url: `${proxy.url}/v1/models`,
      connections: 4,
      amount: 200,
      overallRate: 200,
    });
    assert.equal(result.errors + result.timeouts + result.non2xx, 0);
  });
  for (let count = 1; count <= reloads; count += 1) {
    setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 60 + count);
    const reply = await reload(proxy);
    assert.equal(reply.outcome, 'done', reply.reasons.join('; '));
  }
  isOver = true;
  const [ab, cannon] = await Promise.all([benches, cannons]);
  await loops.stop();
  assert.ok(ab > 0 && cannon > 0, 'there was load all the time');
  assert.deepEqual(loops.faults, []);
  assert.ok(loops.answered > reloads);
  const { generation, draining } = await statusOf(proxy);
  assert.equal(generation, reloads + 1);
  assert.deepEqual(await streaming, []);
  return { posts: loops.answered, ab: ab * 100, cannon: cannon * 200, draining: draining.length };
}
