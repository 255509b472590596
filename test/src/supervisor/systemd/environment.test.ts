import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notifyPath, passedSocket, watchdogMs } from '../../../../src/supervisor/systemd/environment.ts';

test('Nobody is reported to where NOTIFY_SOCKET is missing or empty', () => {
  assert.equal(notifyPath({}), null);
  assert.equal(notifyPath({ NOTIFY_SOCKET: '' }), null);
  assert.equal(notifyPath({ NOTIFY_SOCKET: '/run/systemd/notify' }), '/run/systemd/notify');
});

test('The watchdog is ours unless WATCHDOG_PID names another process', () => {
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000' }, 7), 30_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 30_000);
  assert.equal(watchdogMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), null);
  for (const usec of [undefined, '', '0', 'soon']) assert.equal(watchdogMs({ WATCHDOG_USEC: usec }, 7), null);
});

test('A socket is taken only from a systemd that passed it to this very process', () => {
  assert.equal(passedSocket({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7), 3);
  assert.equal(passedSocket({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7), null);
  assert.equal(passedSocket({ LISTEN_FDS: '1' }, 7), null);
  assert.equal(passedSocket({ LISTEN_PID: '7', LISTEN_FDS: '0' }, 7), null);
});

test('Several sockets are refused by a sentence that names the file to change', () => {
  assert.throws(() => passedSocket({ LISTEN_PID: '7', LISTEN_FDS: '2' }, 7), /2 sockets.*flow-proxy\.socket/);
});
