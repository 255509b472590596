// Which connections are idle, with the time-out's own clock.
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { IdleTimeout, type MaybeIdle } from '../../../src/proxy/idle-timeout.ts';

const TIMEOUT_MS = 4_000;
const TICK_MS = 1_000;

function connection(differs: Partial<MaybeIdle> = {}): MaybeIdle {
  const idle = { ticks: 0, bytesRead: 0 };
  const letGo = (): void => {};
  return { socket: new Socket(), busy: 0, isKept: true, isHeldBack: false, idle, letGo, ...differs };
}

/** Its last byte is sent. */
const isClosed = ({ socket }: MaybeIdle): boolean => socket.writableEnded;

test('only what has had nothing to do for the time-out is closed', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const idle = connection();
  const others = [connection({ busy: 1 }), connection({ isKept: false }), connection({ isHeldBack: true })];
  const timeout = new IdleTimeout([...others, idle], TIMEOUT_MS);
  t.mock.timers.tick(TIMEOUT_MS);
  await turn();
  assert.equal(isClosed(idle), false, 'not before its time');
  t.mock.timers.tick(TICK_MS);
  await turn();
  assert.equal(isClosed(idle), true);
  t.mock.timers.tick(TIMEOUT_MS * 10);
  await turn();
  assert.deepEqual(others.map(isClosed), [false, false, false]);
  timeout.stop();
});

test('what got something to do in the turn in which its time was over is kept', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const late = { ...connection(), busy: 0 };
  const timeout = new IdleTimeout([late], TIMEOUT_MS);
  t.mock.timers.tick(TIMEOUT_MS + TICK_MS);
  late.busy = 1;
  await turn();
  assert.equal(isClosed(late), false);
  timeout.stop();
});

test('what was idle since the last look lets go of its last request, without a time-out, too', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const told: string[] = [];
  const named = (name: string, differs: Partial<MaybeIdle> = {}): MaybeIdle =>
    connection({ letGo: () => told.push(name), ...differs });
  const timeout = new IdleTimeout([named('idle'), named('busy', { busy: 1 })], 0);
  t.mock.timers.tick(TICK_MS);
  assert.deepEqual(told, ['idle']);
  timeout.stop();
});
