// The log of the service: opened by the settings, and what an operator hears when it cannot be written.
import { fstatSync } from 'node:fs';
import type { LogSettings } from '../config/settings.ts';
import { messageOf } from '../errors.ts';
import { installedFile } from '../installed-files.ts';
import { complainer } from '../logging/complainer.ts';
import { openLog, openStandardOutput } from '../logging/destinations.ts';
import { LogSink } from '../logging/log-sink.ts';
import { type AdjustableLogger, createLogger } from '../logging/logger.ts';
import { isSameFile, lookAt } from '../logging/plain-file.ts';

/** The primary's log. */
export interface ServiceLog {
  readonly sink: LogSink;
  readonly log: AdjustableLogger;
  /** Resolves when every line is out, or cannot be. */
  close(): Promise<void>;
}

const COMPRESS_FILE = installedFile('dist/workers/compress-log.js');

/** @throws ConfigError when the log cannot be opened at all */
export async function openServiceLog(settings: LogSettings): Promise<ServiceLog> {
  const target = settings.rotation === 'none' ? 'standard output' : settings.file;
  const main = await openLog(settings, {
    onTrouble: complainer('the log', target),
    onRecovered: (lostLines) =>
      log.warning({ msg: `The log can be written again; ${lostLines} lines were lost`, lostLines }),
    onUpkeepFailed: (cause) =>
      log.warning({ msg: `Old log files could not be tidied up: ${messageOf(cause)}` }),
    compressTaskFile: COMPRESS_FILE,
  });
  const echo =
    settings.rotation === 'none' || isStandardOutput(target)
      ? null
      : {
          destination: openStandardOutput(settings.format, {
            onTrouble: complainer('what is also printed', 'standard output'),
            onRecovered: () => {},
          }),
          isWhole: settings.stdout === 'all',
        };
  const sink = new LogSink(main.destination, echo);
  const log: AdjustableLogger = createLogger(settings.level, {}, sink);
  const close = async (): Promise<void> => {
    await sink.close();
    await main.close();
  };
  return { sink, log, close };
}

/** As /dev/stdout is, or a file that the shell has sent standard output to. */
function isStandardOutput(path: string): boolean {
  return isSameFile(lookAt(path), fstatSync(1));
}
