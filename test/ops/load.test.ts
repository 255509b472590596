// The load recipes: real tools against a real flow-proxy.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Stack, startStack } from '../harness/stack.ts';

const LOAD = fileURLToPath(new URL('../../ops/load/load.js', import.meta.url));

function load(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [LOAD, ...args], { timeout: 60_000 }, (cause, stdout, stderr) =>
      resolve({ code: cause === null ? 0 : Number(cause.code), stdout, stderr }),
    );
  });
}

describe('npm run load', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({ settings: { MAX_ATTEMPTS: 1 } });
  });
  after(() => stack.close());

  test('prints a line for each recipe and tool, and exits 0 when no request failed', async () => {
    const recipes = ['--recipe', 'health,models,chat,stream'];
    const { code, stdout, stderr } = await load('--url', stack.proxy.url, '-n', '20', '-c', '4', ...recipes);
    assert.equal(code, 0, stdout + stderr);
    for (const recipe of ['health', 'models', 'chat', 'stream'])
      for (const tool of ['ab', 'autocannon'])
        assert.match(stdout, new RegExp(`^${recipe} +${tool} +[1-9]\\d* +\\d+ +\\d+ +0$`, 'm'));
    // Each tool sends what it is told; autocannon may begin a few more before it knows that it has enough.
    assert.ok(stack.upstream.requests.length >= 3 * 2 * 20);
  });

  test('counts failures, and exits 1 then', async () => {
    stack.upstream.setFaults([{ fault: { type: 'status', status: 500 } }]);
    const { code, stdout } = await load('--url', stack.proxy.url, '-n', '8', '-c', '2', '--recipe', 'models');
    stack.reset();
    assert.equal(code, 1, stdout);
    assert.match(stdout, /^models +ab .* 8$/m);
    assert.match(stdout, /^models +autocannon .* ([89]|1\d)$/m);
  });

  test('leaves other machines alone unless told', async () => {
    const refused = await load('--url', 'http://192.0.2.1:8899');
    assert.deepEqual([refused.code, /--allow-remote/.test(refused.stderr)], [64, true]);
    assert.equal((await load('--url', stack.proxy.url, '--tool', 'wrk')).code, 64);
    assert.equal((await load('--url', stack.proxy.url, '-n', 'many')).code, 64);
  });

  test('says how to start something when nothing answers', async () => {
    const { code, stderr } = await load('--url', 'http://127.0.0.1:1');
    assert.deepEqual([code, /npm start/.test(stderr)], [1, true]);
  });
});
