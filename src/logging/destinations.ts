// Where log lines go: standard output, one plain file that others move, or files that we roll. sonic-boom (by pino)
// and pino-roll are known only here.
import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination as openDestination } from 'pino';
import buildRollingFile from 'pino-roll';
import { explainDenied } from '../config/denied.ts';
import type { LogSettings } from '../config/settings.ts';
import { ConfigError, codeOf, messageOf } from '../errors.ts';
import { humanReadable } from './human-readable.ts';
import { sweepRolledFiles } from './retention.ts';

/** Takes whole lines. */
export interface Destination {
  write(lines: string): void;
  /** Goes on with a new file of the same name, after the old one has been moved away. */
  reopen(): void;
  /** Resolves when everything written so far is out. */
  flush(): Promise<void>;
}

type Stream = ReturnType<typeof openDestination>;
type RollingStream = Awaited<ReturnType<typeof buildRollingFile>>;

const FILE_MODE = 0o640;
const SWEEP_MS = 3_600_000;
/** A worker's lines wait for this long at most, to share one write. */
const WORKER_FLUSH_MS = 50;
const WORKER_BATCH_BYTES = 4_096;

/** A worker's end of the pipe to the primary. */
export function workerLogDestination(): Destination {
  const stream = openDestination({
    dest: 1,
    sync: false,
    minLength: WORKER_BATCH_BYTES,
    periodicFlush: WORKER_FLUSH_MS,
  });
  // The primary is gone, and with it the log: what is in flight is still served to its end.
  stream.on('error', () => {});
  return over(stream);
}

/**
 * Opens what the settings say.
 * @param onTrouble told when lines cannot be written; writing goes on when the cause is gone
 * @throws ConfigError when a log file cannot be opened at all
 */
export async function openLog(
  settings: LogSettings,
  onTrouble: (cause: Error) => void,
): Promise<Destination> {
  if (settings.rotation === 'none') return openStandardOutput(settings.format, onTrouble);
  assertWritable(settings.file, settings.rotation);
  const stream =
    settings.rotation === 'external'
      ? openDestination({ dest: settings.file, sync: false, mode: FILE_MODE })
      : await openRolling(settings, settings.file, onTrouble);
  stream.on('error', onTrouble);
  return over(stream);
}

/** Standard output: readable on a terminal, JSON elsewhere, unless a setting says which. */
export function openStandardOutput(
  format: LogSettings['format'],
  onTrouble: (cause: Error) => void,
): Destination {
  const stream = openDestination({ dest: 1, sync: false });
  stream.on('error', onTrouble);
  // Nobody moves standard output away, and sonic-boom throws when it is asked to open a descriptor again.
  const plain: Destination = { ...over(stream), reopen: () => {} };
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  if (!isPretty) return plain;
  const pretty = humanReadable(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
  return { ...plain, write: (lines) => plain.write(pretty(lines)) };
}

async function openRolling(
  settings: LogSettings,
  file: string,
  onTrouble: (cause: Error) => void,
): Promise<RollingStream> {
  const stream = await buildRollingFile({
    file,
    frequency: 'daily',
    dateFormat: 'yyyy-MM-dd',
    size: `${settings.rollBytes}b`,
    mode: FILE_MODE,
    sync: false,
  });
  const retention = { days: settings.retentionDays, totalBytes: settings.maxTotalBytes };
  const sweep = (): void => {
    try {
      sweepRolledFiles(file, stream.file ?? '', retention, Date.now());
    } catch (cause) {
      // The folder may be gone or closed to us; that is no reason to stop serving.
      onTrouble(cause instanceof Error ? cause : new Error(messageOf(cause)));
    }
  };
  stream.on('ready', sweep);
  setInterval(sweep, SWEEP_MS).unref();
  return stream;
}

function over(stream: Stream): Destination {
  return {
    write: (lines) => {
      stream.write(lines);
    },
    reopen: () => stream.reopen(),
    flush: () =>
      new Promise((resolve) => {
        stream.flush(() => resolve());
      }),
  };
}

function assertWritable(file: string, rotation: 'external' | 'internal'): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    if (rotation === 'internal') accessSync(dirname(file), constants.W_OK);
    else closeSync(openSync(file, 'a', FILE_MODE));
  } catch (cause) {
    const reason = codeOf(cause) === 'EACCES' ? explainDenied(dirname(file)) : '';
    throw new ConfigError('log', [`the log file "${file}" cannot be written: ${messageOf(cause)}${reason}`]);
  }
}
