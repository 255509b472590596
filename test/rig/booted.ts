// Runs a rig test file once more inside a machine of its own: a real systemd as PID 1 in its own namespaces, over a
// throw-away copy of this file system (systemd-rig.sh). Nothing of it is left afterwards.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { root } from '../harness/root.ts';

/** Whether this process is inside. */
export const isInside: boolean = process.env['RIG_INSIDE'] === 'yes';

/** Boots, runs the file's own tests inside, powers off; rejects with their output when one fails. */
export async function runBooted(fileUrl: string): Promise<void> {
  const name = `flow-proxy-${process.pid}`;
  const script = root('test/rig/systemd-rig.sh');
  const env = { ...process.env, RIG_ROOT: root('.'), RIG_STATE: join(tmpdir(), 'flow-proxy-rigs') };
  const up = spawnSync('bash', [script, 'up', name], { env, encoding: 'utf8' });
  assert.equal(up.status, 0, `systemd does not boot here:\n${up.stdout}${up.stderr}`);
  try {
    const inside = ['env', 'RIG_INSIDE=yes', process.execPath, '--test', fileURLToPath(fileUrl)];
    const child = spawn('bash', [script, 'exec', name, '--', ...inside], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.equal(code, 0, output);
    process.stdout.write(output);
  } finally {
    spawnSync('bash', [script, 'down', name], { env });
  }
}
