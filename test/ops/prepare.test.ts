// What npm runs after an install leaves a build alone when it is npx that links this checkout into its cache.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../harness/root.ts';

test('npx takes no build away from under a service', () => {
  const builtAt = (): number => statSync(root('dist/src/cli/main.js')).mtimeMs;
  const before = builtAt();
  const env = { ...process.env, npm_command: 'exec' };
  assert.equal(spawnSync(process.execPath, [root('ops/prepare.mjs')], { env }).status, 0);
  assert.equal(builtAt(), before);
});
