// Commands as an operator types them, run by bash as root inside the rig.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line and resolves with how it ended, well or not. */
export async function attempt(commandLine: string): Promise<Output> {
  const child = spawn('bash', ['-c', commandLine], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: typeof code === 'number' ? code : -1, stdout: stdout.trim(), stderr: stderr.trim() };
}

/** Runs a command line that must succeed, and resolves with what it printed. */
export async function run(commandLine: string): Promise<string> {
  const { code, stdout, stderr } = await attempt(commandLine);
  if (code !== 0) throw new Error(`"${commandLine}" ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}
