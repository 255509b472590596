// A short soak: mixed traffic and faults, clients that leave, two workers. `npm run soak -- MINUTES` runs a long one.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOAK = fileURLToPath(new URL('../soak/soak.js', import.meta.url));
const MINUTES = '0.4';
/** The soak itself, and the end of what it started. */
const TIMEOUT_MS = 300_000;

test('mixed faults over two workers bring no unexplained error, no growth, and leave nothing open', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SOAK, MINUTES], { timeout: TIMEOUT_MS });
  console.log(stdout);
  assert.match(stdout, /^unexplained errors 0,/m);
  assert.ok(Number(/^requests (\d+)/m.exec(stdout)?.[1]) > 500, stdout);
});
