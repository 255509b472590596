// Runs flow-proxy as a command that ends by itself: check, config, --help, a start that is refused.
import { within } from './eventually.ts';
import { type ProcessOptions, spawnFlowProxy } from './flow-process.ts';

const COMMAND_MS = 60_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end; rejects when it does not end. */
export async function runFlowProxy(options: ProcessOptions): Promise<CommandResult> {
  const flowProcess = await spawnFlowProxy(options);
  try {
    const { code } = await within('the command', COMMAND_MS, flowProcess.exited);
    return { code, stdout: flowProcess.stdout, stderr: flowProcess.stderr };
  } finally {
    flowProcess.killGroup();
    await flowProcess.end();
  }
}
