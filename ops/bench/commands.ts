// Programs of the system that a bench uses when they are there: whether they are, their versions, and running one.
import { spawn, spawnSync } from 'node:child_process';

export function hasCommand(name: string): boolean {
  return versionOf(name, ['--version']) !== null || versionOf(name, ['-v']) !== null;
}

/** The first version number that a program prints of itself; null when there is no such program. */
export function versionOf(name: string, args: readonly string[]): string | null {
  const { error, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8', timeout: 5_000 });
  if (error !== undefined) return null;
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown version';
}

/** What a finished program printed, and what it cost. */
export interface Finished {
  readonly stdout: string;
  readonly elapsedSeconds: number;
}

/** Runs a program to its end. Rejects when it fails, with what it said. */
export function runCommand(command: string, args: readonly string[]): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve({ stdout, elapsedSeconds: (performance.now() - startedAt) / 1000 });
      else reject(new Error(`${command} ended with ${code}: ${stderr.trim() || stdout.trim()}`));
    });
  });
}
