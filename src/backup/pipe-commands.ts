// Runs commands as a shell's pipe does, from file descriptor to file descriptor, and says which one failed and why.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

export interface PipedCommand {
  readonly program: string;
  readonly arguments: readonly string[];
}

/** A backup could not be made or restored; the message says what to do. */
export class BackupError extends Error {}

/**
 * @param input descriptor of what the first command reads; null for nothing
 * @param output descriptor of where the last one writes; null for nowhere
 * @throws BackupError when one of them fails or is not installed
 */
export async function pipeCommands(
  commands: readonly PipedCommand[],
  input: number | null,
  output: number | null,
): Promise<void> {
  const children = commands.map(({ program, arguments: given }, index) => {
    const stdin = index === 0 ? (input ?? 'ignore') : 'pipe';
    const stdout = index === commands.length - 1 ? (output ?? 'ignore') : 'pipe';
    return spawn(program, [...given], { stdio: [stdin, stdout, 'pipe'], env: childEnvironment() });
  });
  const endings = children.map((child, index) => ending(child, commands[index]?.program ?? ''));
  const links = children.slice(1).map((child, index) => {
    const from = children[index]?.stdout;
    // A command that ends early is told of by its own ending.
    return from && child.stdin ? pipeline(from, child.stdin).catch(() => {}) : undefined;
  });
  const [failure] = (await Promise.all(endings)).filter((end) => end !== null);
  await Promise.all(links);
  if (failure !== undefined) throw new BackupError(failure);
}

/** Nothing of ours is theirs to know. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, LC_ALL: 'C' };
}

/** null when it went well, else a sentence. */
async function ending(child: ChildProcess, program: string): Promise<string | null> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    const [code, signal] = await once(child, 'close');
    if (code === 0) return null;
    return `${program} failed (${signal ?? `exit code ${code}`}): ${said.trim()}`;
  } catch {
    return `${program} is not installed here`;
  }
}
