// The command line of the simulated upstream: reads it, checks it, and explains it.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseCredentials } from './credentials.ts';
import type { SimulatedUpstreamOptions } from './server.ts';

export const USAGE = `Usage: node dist/ops/simulated-upstream/main.js --secrets FILE [options]

Runs a simulated Flow LLM Proxy. Prints one JSON line, {"url", "pid"}, when it listens.

  --secrets FILE            credentials to accept, in the form of secrets.json
  --port N                  port to listen on; 0 takes a free one (default 0)
  --host ADDRESS            address to listen on (default 127.0.0.1)
  --latency-ms N            pause before every answer (default 0)
  --chunks N                content chunks per stream (default 5)
  --chunk-interval-ms N     pause between chunks (default 0)
  --tls-key FILE            private key, to serve HTTPS
  --tls-cert FILE           certificate, to serve HTTPS
  --help                    show this text
`;

export class UsageError extends Error {}

const OPTIONS = {
  secrets: { type: 'string' },
  port: { type: 'string', default: '0' },
  host: { type: 'string', default: '127.0.0.1' },
  'latency-ms': { type: 'string', default: '0' },
  chunks: { type: 'string', default: '5' },
  'chunk-interval-ms': { type: 'string', default: '0' },
  'tls-key': { type: 'string' },
  'tls-cert': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** The options on the command line, or 'help'; throws UsageError. */
export function readArguments(argv: readonly string[]): SimulatedUpstreamOptions | 'help' {
  const values = parse(argv);
  if (values.help) return 'help';
  if (values.secrets === undefined) throw new UsageError('--secrets FILE is required');
  return {
    credentials: readCredentials(values.secrets),
    host: values.host,
    port: wholeNumber('--port', values.port, 0, 65_535),
    latencyMs: wholeNumber('--latency-ms', values['latency-ms'], 0),
    chunks: wholeNumber('--chunks', values.chunks, 1),
    chunkIntervalMs: wholeNumber('--chunk-interval-ms', values['chunk-interval-ms'], 0),
    ...readTls(values['tls-key'], values['tls-cert']),
  };
}

function parse(argv: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

function readCredentials(path: string): SimulatedUpstreamOptions['credentials'] {
  try {
    return parseCredentials(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--secrets ${path}: ${messageOf(error)}`);
  }
}

function readTls(key: string | undefined, cert: string | undefined): Pick<SimulatedUpstreamOptions, 'tls'> {
  if (key === undefined && cert === undefined) return {};
  if (key === undefined || cert === undefined) {
    throw new UsageError('--tls-key and --tls-cert are needed together');
  }
  return { tls: { key: readPem('--tls-key', key), cert: readPem('--tls-cert', cert) } };
}

function readPem(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${messageOf(error)}`);
  }
}

function wholeNumber(option: string, text: string, least: number, most = 1_000_000_000): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`${option} ${text}: expected a whole number from ${least} to ${most}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
