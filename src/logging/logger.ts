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

/** Writes lines whose fields are JSON text already: for what is written too often to have each field looked at. */
export interface LineWriter {
  /** @param fields without braces: `"msg":"…","status":200` */
  line(level: LogLevel, fields: string): void;
}

/** @param base fields of every line, such as the worker's slot */
export function createLogger(
  level: LogLevel,
  base: Readonly<Record<string, unknown>>,
  destination: DestinationStream,
): AdjustableLogger & LineWriter {
  const clock = isoClock();
  const always = JSON.stringify(base).slice(1, -1);
  const head = always === '' ? ',' : `,${always},`;
  const logger: PinoLogger = pino(
    {
      level: PINO_LEVELS[level],
      base: { ...base },
      timestamp: clock,
      formatters: { level: (label) => ({ level: wordFor(label) }) },
    },
    destination,
  );
  return {
    debug: (fields) => logger.debug(fields),
    info: (fields) => logger.info(fields),
    warning: (fields) => logger.warn(fields),
    error: (fields) => logger.error(fields),
    line: (level, fields) => {
      if (!logger.isLevelEnabled(PINO_LEVELS[level])) return;
      destination.write(`{"level":"${level}"${clock()}${head}${fields}}\n`);
    },
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
