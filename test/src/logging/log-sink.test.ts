import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { Destination } from '../../../src/logging/destination.ts';
import { LogSink } from '../../../src/logging/log-sink.ts';

class Memory implements Destination {
  readonly written: string[] = [];
  reopened = 0;
  readonly lostLines = 7;
  write(lines: string): void {
    this.written.push(lines);
  }
  async reopen(): Promise<undefined> {
    this.reopened += 1;
  }
  async flush(): Promise<void> {
    this.written.push('flushed');
  }
}

/** Gives a stream these chunks and its end. */
async function finish(stream: PassThrough, ...chunks: string[]): Promise<void> {
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, 'close');
}

describe('the log sink', () => {
  it('never lets lines of several workers interleave', async () => {
    const main = new Memory();
    const sink = new LogSink(main, null);
    const [one, two] = [new PassThrough(), new PassThrough()];
    sink.attachLog(one);
    sink.attachLog(two);
    const [first, second] = [once(one, 'data'), once(two, 'data')];
    one.write('{"a":');
    two.write('{"b":');
    await Promise.all([first, second]);
    await Promise.all([finish(one, '1}\n'), finish(two, '2}\n')]);
    assert.deepEqual(main.written.sort(), ['{"a":1}\n', '{"b":2}\n']);
  });

  it('hands on what a worker wrote as text one line at a time, the last unfinished one too', async () => {
    const lines: string[] = [];
    const stream = new PassThrough();
    new LogSink(new Memory(), null).attachText(stream, (line) => lines.push(line));
    await finish(stream, 'one\n\ntwo\nthr', 'ee');
    assert.deepEqual(lines, ['one', 'two', 'three']);
  });

  it('echoes the primary’s own lines, not those of workers, and reopens the log alone', async () => {
    const [main, echo] = [new Memory(), new Memory()];
    const sink = new LogSink(main, { destination: echo, isWhole: false });
    const stream = new PassThrough();
    sink.attachLog(stream);
    sink.write('own\n');
    await finish(stream, 'of a worker\n');
    assert.equal(await sink.reopen(), undefined);
    assert.equal(sink.lostLines, 7, 'of the log, not of both');
    assert.deepEqual([main.written, echo.written], [['own\n', 'of a worker\n'], ['own\n']]);
    assert.deepEqual([main.reopened, echo.reopened], [1, 0]);
  });

  it('echoes the lines of workers as well when that is asked for', async () => {
    const [main, echo] = [new Memory(), new Memory()];
    const sink = new LogSink(main, { destination: echo, isWhole: true });
    const stream = new PassThrough();
    sink.attachLog(stream);
    sink.write('own\n');
    await finish(stream, 'of a worker\n');
    await sink.close();
    assert.deepEqual(echo.written, ['own\n', 'of a worker\n', 'flushed']);
    assert.deepEqual(main.written, echo.written);
  });

  it('loses nothing at the end of the process: what is unfinished is written before the flush', async () => {
    const main = new Memory();
    const sink = new LogSink(main, null);
    const stream = new PassThrough();
    sink.attachLog(stream);
    const arrived = once(stream, 'data');
    stream.write('half');
    await arrived;
    await sink.close();
    assert.deepEqual(main.written, ['half\n', 'flushed']);
  });

  it('waits at the end for what a worker’s pipe still holds', async () => {
    const main = new Memory();
    const sink = new LogSink(main, null);
    const stream = new PassThrough();
    sink.attachLog(stream);
    const closed = sink.close();
    await finish(stream, 'last ', 'words\n');
    await closed;
    assert.deepEqual(main.written, ['last words\n', 'flushed']);
  });
});
