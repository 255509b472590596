// Runs a rig test file once more, inside a mount namespace of its own with throw-away /etc, /var and /run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { root } from '../harness/root.ts';

/** Whether this process is inside. */
export const isInside: boolean = process.env['RIG_INSIDE'] === 'yes';

/** Runs the file's own tests inside; rejects with their output when one fails. */
export async function runInside(fileUrl: string): Promise<void> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const script = root('test/rig/private-mounts.sh');
  const child = spawn('bash', [script, process.execPath, '--test', fileURLToPath(fileUrl)], {
    env: { ...environment, RIG_INSIDE: 'yes' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.equal(code, 0, output);
  process.stdout.write(output);
}
