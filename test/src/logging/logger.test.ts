import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger, type Logger, type LogLevel } from '../../../src/logging/logger.ts';

/** The lines that a logger of this level writes. */
function lines(level: LogLevel, base: object, write: (log: Logger) => void): string[] {
  const written: string[] = [];
  write(createLogger(level, { ...base }, { write: (line) => void written.push(line) }));
  return written;
}

const writeAll = (log: Logger): void => {
  log.debug({ msg: 'd' });
  log.info({ msg: 'i' });
  log.warning({ msg: 'w' });
  log.error({ msg: 'e' });
};

describe('a log line', () => {
  it('has its level as the word that operators know', () => {
    const levels = lines('DEBUG', {}, writeAll).map((line) => JSON.parse(line).level);
    assert.deepEqual(levels, ['DEBUG', 'INFO', 'WARNING', 'ERROR']);
  });

  it('is written from its level on', () => {
    const counts = (['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const).map(
      (level) => lines(level, {}, writeAll).length,
    );
    assert.deepEqual(counts, [4, 3, 2, 1]);
  });

  it('has its sentence before all other fields, so that nothing a client chose stands before it', () => {
    const [line = ''] = lines('INFO', { worker: 2 }, (log) =>
      log.info({ msg: 'Request processed', path: '/v1', credential: 'a' }),
    );
    assert.deepEqual(Object.keys(JSON.parse(line)), ['level', 'time', 'worker', 'msg', 'path', 'credential']);
  });

  it('has an ISO-8601 time and ends in one newline', () => {
    const [line = ''] = lines('INFO', {}, (log) => log.info({ msg: 'x\ny\u2028z' }));
    assert.match(JSON.parse(line).time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(line.indexOf('\n'), line.length - 1);
    assert.equal(JSON.parse(line).msg, 'x\ny\u2028z');
  });

  it('has no field for what is not known', () => {
    const [line = ''] = lines('INFO', {}, (log) => log.info({ msg: 'x', credential: undefined, worker: 0 }));
    assert.deepEqual(Object.keys(JSON.parse(line)), ['level', 'time', 'msg', 'worker']);
  });

  it('is the same when its fields come as text', () => {
    for (const base of [{}, { worker: 2, name: 'a"b' }]) {
      const written: string[] = [];
      const log = createLogger('INFO', base, { write: (line) => void written.push(line) });
      const fields = { msg: 'Request "processed"\n', path: '/v1', status: 200 };
      log.info(fields);
      log.line('INFO', JSON.stringify(fields).slice(1, -1));
      log.line('DEBUG', '"msg":"too low"');
      const [one = '', other = '', ...more] = written.map((line) =>
        line.replace(/"time":"[^"]*"/, '"time":""'),
      );
      assert.equal(other, one);
      assert.deepEqual(more, []);
    }
  });
});
