import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it, mock } from 'node:test';
import { LineQueue, type Outlet, type QueueOptions } from '../../../src/logging/line-queue.ts';

/** An outlet that can be told to fail, or to hang. */
class Outlets extends EventEmitter implements Outlet {
  readonly written: string[] = [];
  readonly calls: string[] = [];
  failure: Error | undefined;
  hang: Promise<void> | undefined;
  #rest = '';
  write(lines: string): Promise<void> {
    this.#rest = lines;
    return this.#attempt('write');
  }
  retry(): Promise<void> {
    return this.#attempt('retry');
  }
  async reopen(): Promise<void> {
    this.calls.push('reopen');
    if (this.failure !== undefined) throw this.failure;
  }
  async #attempt(name: string): Promise<void> {
    this.calls.push(name);
    await this.hang;
    this.emit(name);
    if (this.failure !== undefined) throw this.failure;
    this.written.push(this.#rest);
  }
}

function queueOver(outlet: Outlet, options: Partial<QueueOptions> = {}) {
  const told: (string | number)[] = [];
  const queue = new LineQueue(outlet, {
    onTrouble: ({ message }) => told.push(message),
    onRecovered: (lostLines) => told.push(lostLines),
    ...options,
  });
  return { queue, told };
}

describe('the queue of log lines', () => {
  it('writes in order, joining what comes while a write is under way', async () => {
    const outlet = new Outlets();
    const { queue } = queueOver(outlet);
    for (const line of ['a\n', 'b\n', 'c\n']) queue.write(line);
    await queue.flush();
    assert.deepEqual(outlet.written, ['a\n', 'b\nc\n']);
  });

  it('does not let a new file be waited for behind a write that nobody takes, but goes on with it later', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const outlet = new Outlets();
      let goOn = (): void => {};
      outlet.hang = new Promise((resolve) => {
        goOn = resolve;
      });
      const { queue } = queueOver(outlet);
      queue.write('a\n');
      const reopened = queue.reopen();
      mock.timers.tick(3_000);
      assert.match(String(await reopened), /nobody has taken what is being written for 3 s/);
      goOn();
      await queue.flush();
      assert.deepEqual(outlet.calls, ['write', 'reopen']);
    } finally {
      mock.timers.reset();
    }
  });

  it('lets few lines wait for each other when asked to, and many not', async () => {
    const outlet = new Outlets();
    const { queue } = queueOver(outlet, { delayMs: 3_600_000 });
    queue.write('a\n');
    await new Promise(setImmediate);
    assert.deepEqual(outlet.written, []);
    const written = once(outlet, 'write');
    queue.write(`${'x'.repeat(100_000)}\n`);
    await written;
    await queue.flush();
    assert.equal(outlet.written.join('').length, 100_003);
  });

  it('writes whole lines in batches that one read of a pipe takes, and a longer line by itself', async () => {
    const outlet = new Outlets();
    const { queue } = queueOver(outlet, { delayMs: 3_600_000 });
    const line = `${'x'.repeat(999)}\n`;
    for (let count = 0; count < 200; count += 1) queue.write(line);
    queue.write(`${'y'.repeat(70_000)}\n`);
    await queue.flush();
    const sizes = outlet.written.map(({ length }) => length);
    assert.deepEqual(sizes, [65_000, 65_000, 65_000, 5_000, 70_001]);
    assert.ok(outlet.written.every((batch) => batch.endsWith('\n')));
  });

  it('lets also those wait for each other that come while others are written', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const outlet = new Outlets();
    let finishWriting = (): void => {};
    outlet.hang = new Promise((resolve) => {
      finishWriting = resolve;
    });
    const { queue } = queueOver(outlet, { delayMs: 50 });
    queue.write('a\n');
    t.mock.timers.tick(50);
    queue.write('b\n');
    finishWriting();
    await once(outlet, 'write');
    await new Promise(setImmediate);
    queue.write('c\n');
    assert.deepEqual(outlet.written, ['a\n']);
    const next = once(outlet, 'write');
    t.mock.timers.tick(50);
    await next;
    await new Promise(setImmediate);
    assert.deepEqual(outlet.written, ['a\n', 'b\nc\n']);
  });

  it('keeps what cannot be written, tries again by itself, and says what was lost meanwhile', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const outlet = new Outlets();
    outlet.failure = new Error('no space');
    const { queue, told } = queueOver(outlet, { room: 20 });
    queue.write('stuck\n');
    await once(outlet, 'write');
    await new Promise(setImmediate);
    queue.write('one\ntwo\n');
    queue.write('does\nnot\nfit\nany more\n');
    assert.equal(queue.lostLines, 4);
    t.mock.timers.tick(1_000);
    await once(outlet, 'retry');
    await new Promise(setImmediate);
    assert.deepEqual(told, ['no space', 'no space'], 'told with every attempt');
    outlet.failure = undefined;
    const again = once(outlet, 'write');
    t.mock.timers.tick(1_000);
    await again;
    await new Promise(setImmediate);
    assert.deepEqual(outlet.written, ['stuck\n', 'one\ntwo\n']);
    assert.deepEqual(told, ['no space', 'no space', 4]);
    assert.equal(queue.lostLines, 4, 'the count goes on');
  });

  it('loses nothing in a trouble that was short', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const outlet = new Outlets();
    outlet.failure = new Error('no space');
    const { queue, told } = queueOver(outlet);
    queue.write('a\n');
    await once(outlet, 'write');
    await new Promise(setImmediate);
    outlet.failure = undefined;
    t.mock.timers.tick(1_000);
    await once(outlet, 'retry');
    await new Promise(setImmediate);
    assert.deepEqual(told, ['no space', 0]);
  });

  it('counts what an outlet is too slow for, though nothing fails', async () => {
    const outlet = new Outlets();
    let goOn = (): void => {};
    outlet.hang = new Promise((resolve) => {
      goOn = resolve;
    });
    const { queue, told } = queueOver(outlet, { room: 10 });
    for (const line of ['a\n', 'bbbb\n', 'cccc\n', 'dddd\n', 'eeee\n']) queue.write(line);
    assert.equal(queue.lostLines, 2);
    assert.equal(told.length, 1, 'once, not for every line');
    goOn();
    await queue.flush();
    assert.deepEqual(outlet.written, ['a\n', 'bbbb\ncccc\n']);
    assert.equal(told.at(-1), 2);
  });

  it('reopens between two writes, at once also while it waits to try again, and tells how that went', async () => {
    const outlet = new Outlets();
    outlet.failure = new Error('no space');
    const { queue } = queueOver(outlet);
    queue.write('a\n');
    const failed = queue.reopen();
    assert.equal((await failed)?.message, 'no space');
    outlet.failure = undefined;
    assert.equal(await queue.reopen(), undefined);
    await queue.flush();
    assert.deepEqual(outlet.written, ['a\n']);
    assert.deepEqual(outlet.calls.filter((name) => name === 'reopen').length, 2);
  });

  it('does not wait for ever at the end for an outlet that hangs', async (t) => {
    const timers = mock.timers;
    timers.enable({ apis: ['setTimeout'] });
    t.after(() => timers.reset());
    const outlet = new Outlets();
    outlet.hang = new Promise(() => {});
    const { queue } = queueOver(outlet);
    queue.write('a\n');
    const flushed = queue.flush();
    timers.tick(3_000);
    await flushed;
    assert.deepEqual(outlet.written, []);
  });
});
