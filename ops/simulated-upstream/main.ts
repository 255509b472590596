// Entry point: runs a simulated upstream as a process of its own until SIGTERM or SIGINT.
import { readArguments, USAGE, UsageError } from './arguments.ts';
import { startSimulatedUpstream } from './server.ts';

const EXIT_FAILURE = 1;
const EXIT_USAGE = 64;

async function run(): Promise<void> {
  const options = readArguments(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const upstream = await startSimulatedUpstream(options);
  const stop = (): void => {
    void upstream.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`${JSON.stringify({ url: upstream.url, pid: process.pid })}\n`);
}

try {
  await run();
} catch (error) {
  const isUsage = error instanceof UsageError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`simulated-upstream: ${message}\n${isUsage ? 'Try --help.\n' : ''}`);
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILURE;
}
