// Where log lines go by the settings: standard output, one plain file that others rotate, or files that we roll.
import { dirname } from 'node:path';
import { explainDenied } from '../config/denied.ts';
import type { LogSettings } from '../config/settings.ts';
import { ConfigError, codeOf, messageOf } from '../errors.ts';
import { makeFolder } from '../host/make-folder.ts';
import type { Destination } from './destination.ts';
import { humanReadable } from './human-readable.ts';
import { LineQueue, type LogEvents } from './line-queue.ts';
import { PlainFile } from './plain-file.ts';
import { openRollingFile } from './rolling-file.ts';
import { StandardOutput } from './standard-output.ts';
import { Upkeep } from './upkeep.ts';

/** A worker's lines wait for this long at most, to share one write. */
const WORKER_FLUSH_MS = 50;

/** What opening a log takes besides its settings. */
export interface OpenLogOptions extends LogEvents {
  /** Rolled files could not be compressed or deleted; tried again with the next roll. */
  onUpkeepFailed(cause: unknown): void;
  /** Compiled workers/compress-log.ts. */
  readonly compressTaskFile: string;
}

/** The log, and its end. */
export interface OpenLog {
  readonly destination: Destination;
  /** Ends what goes on beside the writing. */
  close(): Promise<void>;
}

/**
 * A worker's end of the pipe to the primary.
 * @param onRecovered told when the primary reads again after a standstill that cost lines
 */
export function workerLogDestination(onRecovered: (lostLines: number) => void): Destination {
  // A pipe that is broken: the primary is gone, and with it the log. What is in flight is still served to its end.
  return new LineQueue(new StandardOutput(), { delayMs: WORKER_FLUSH_MS, onTrouble: () => {}, onRecovered });
}

/**
 * Opens what the settings say.
 * @throws ConfigError when a log file cannot be opened at all
 */
export async function openLog(settings: LogSettings, options: OpenLogOptions): Promise<OpenLog> {
  const close = async (): Promise<void> => {};
  switch (settings.rotation) {
    case 'none':
      return { destination: openStandardOutput(settings.format, options), close };
    case 'external': {
      const file = await orRefuse(settings.file, async () => new PlainFile(settings.file));
      return { destination: new LineQueue(file, options), close };
    }
    case 'internal':
      return openRolling(settings, settings.file, options);
  }
}

/** Standard output: readable on a terminal, JSON elsewhere, unless a setting says which. */
export function openStandardOutput(format: LogSettings['format'], events: LogEvents): Destination {
  const queue = new LineQueue(new StandardOutput(), events);
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  if (!isPretty) return queue;
  const pretty = humanReadable(process.stdout.isTTY && process.env['NO_COLOR'] === undefined);
  return {
    write: (lines) => queue.write(pretty(lines)),
    reopen: () => queue.reopen(),
    flush: () => queue.flush(),
    get lostLines() {
      return queue.lostLines;
    },
  };
}

async function openRolling(settings: LogSettings, file: string, options: OpenLogOptions): Promise<OpenLog> {
  const rolling = await orRefuse(file, () => {
    makeFolder(dirname(file));
    return openRollingFile(file, settings.rollBytes);
  });
  const upkeep = new Upkeep({
    base: file,
    retention: { days: settings.retentionDays, totalBytes: settings.maxTotalBytes },
    taskFile: options.compressTaskFile,
    active: () => rolling.active,
    onFailed: options.onUpkeepFailed,
  });
  rolling.onRolled(() => upkeep.begin());
  upkeep.begin();
  return { destination: new LineQueue(rolling, options), close: () => upkeep.close() };
}

async function orRefuse<T>(file: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const reason = explain(codeOf(cause), file);
    throw new ConfigError('log', [`the log file "${file}" cannot be written: ${messageOf(cause)}${reason}`]);
  }
}

function explain(code: string | undefined, file: string): string {
  if (code === 'EACCES') return explainDenied(dirname(file));
  // As /dev/stdout is under systemd.
  if (code === 'ENXIO') return ' (a socket; with no log file set, standard output is the log)';
  return '';
}
