// The bench runs from its beginning to its end with every proxy that is there. What it measures is asserted nowhere.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BENCH = fileURLToPath(new URL('../../ops/bench/main.js', import.meta.url));
const TIMEOUT_MS = 300_000;

test('a quick bench loads flow-proxy, bare http-proxy and nginx in every way without a failed request', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH, '--quick'], { timeout: TIMEOUT_MS });
  for (const row of ['get', 'latency', 'ab', 'streams', 'idle'])
    assert.match(stdout, new RegExp(`--only ${row}`));
  assert.match(stdout, /^\| flow-proxy \| \d+ \| \d+ \| [\d.]+ \| [\d.]+ \|$/m, stdout);
  assert.match(stdout, /^\| bare http-proxy \| \d+ /m);
  assert.match(stdout, /^\| nginx \| /m);
});
