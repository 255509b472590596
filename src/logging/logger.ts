// Our way to speak to pino: levels as the words operators know, ISO time, one object a line. Where lines go is the
// destination's business.
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** Fields of a line; `msg` is its sentence. Values must hold no secret: nothing is filtered out later. */
export interface LogFields {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Writes lines. */
export interface Logger {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warning(fields: LogFields): void;
  error(fields: LogFields): void;
}

/** One whose level may change. */
export interface AdjustableLogger extends Logger {
  setLevel(level: LogLevel): void;
}

const WORDS = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' } as const;
const PINO_LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const;

/** @param base fields of every line, such as the worker's slot */
export function createLogger(
  level: LogLevel,
  base: Readonly<Record<string, unknown>>,
  destination: DestinationStream,
): AdjustableLogger {
  const logger: PinoLogger = pino(
    {
      level: PINO_LEVELS[level],
      base: { ...base },
      timestamp: isoClock(),
      formatters: { level: (label) => ({ level: wordFor(label) }) },
    },
    destination,
  );
  return {
    debug: (fields) => logger.debug(fields),
    info: (fields) => logger.info(fields),
    warning: (fields) => logger.warn(fields),
    error: (fields) => logger.error(fields),
    setLevel: (to) => {
      logger.level = PINO_LEVELS[to];
    },
  };
}

/** The time as pino wants it; what is before the milliseconds is put in words once a second. */
function isoClock(): () => string {
  let second = Number.NaN;
  let words = '';
  return () => {
    const now = Date.now();
    const milliseconds = now % 1000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      words = new Date(second).toISOString().slice(0, -'000Z'.length);
    }
    return `,"time":"${words}${String(milliseconds).padStart(3, '0')}Z"`;
  };
}

function wordFor(label: string): string {
  return label in WORDS ? WORDS[label as keyof typeof WORDS] : label.toUpperCase();
}
