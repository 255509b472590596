// The JSON lines of a log, as they come in.
import { EventEmitter } from 'node:events';

/** One line; its fields are those of the line, whatever they are. */
export interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Joins pieces of text to lines and tells of each. Text that is no JSON object is left out. */
export class LogLines {
  readonly #lines: LogLine[] = [];
  readonly #events = new EventEmitter<{ line: [LogLine] }>().setMaxListeners(0);
  #rest = '';

  push(piece: string): void {
    const parts = (this.#rest + piece).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts.flatMap(parseLine)) {
      this.#lines.push(line);
      this.#events.emit('line', line);
    }
  }

  get all(): readonly LogLine[] {
    return this.#lines;
  }

  /** Resolves with the first line, already there or still to come, that satisfies the predicate. */
  waitFor(predicate: (line: LogLine) => boolean, timeoutMs: number): Promise<LogLine> {
    const already = this.#lines.find(predicate);
    if (already !== undefined) return Promise.resolve(already);
    return new Promise((resolve, reject) => {
      const look = (line: LogLine): void => {
        if (!predicate(line)) return;
        clearTimeout(timer);
        this.#events.off('line', look);
        resolve(line);
      };
      const timer = setTimeout(() => {
        this.#events.off('line', look);
        reject(new Error(`no such log line within ${timeoutMs} ms; ${predicate}`));
      }, timeoutMs);
      this.#events.on('line', look);
    });
  }
}

/** The lines of a whole text. */
export function parseLog(text: string): LogLine[] {
  return text.split('\n').flatMap(parseLine);
}

function parseLine(text: string): LogLine[] {
  if (!text.startsWith('{')) return [];
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
