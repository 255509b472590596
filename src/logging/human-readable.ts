// Log lines for a person at a terminal. pino-pretty is known only here.
import { createRequire } from 'node:module';
import type PinoPretty from 'pino-pretty';

/** A function that turns JSON log lines into readable ones; lines that are not JSON stay as they are. */
export function humanReadable(hasColours: boolean): (lines: string) => string {
  // Not loaded by a service whose log nobody reads on a terminal.
  const { prettyFactory }: typeof PinoPretty = createRequire(import.meta.url)('pino-pretty');
  const pretty = prettyFactory({
    colorize: hasColours,
    translateTime: 'SYS:HH:MM:ss.l',
    customLevels: 'DEBUG:20,INFO:30,WARNING:40,ERROR:50',
    customColors: 'debug:blue,info:green,warning:yellow,error:red',
    useOnlyCustomProps: true,
    singleLine: true,
    // Ours is a code, not an error object.
    errorLikeObjectKeys: [],
    // What the message says already.
    ignore: 'pid,hostname,method,path,status,durationMs,credential,outcome',
  });
  return (lines) =>
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => pretty(line) ?? `${line}\n`)
      .join('');
}
