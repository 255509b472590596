// Which connections are read from in a turn of the loop, with real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { RequestPace } from '../../../src/proxy/request-pace.ts';
import { portOf } from '../../harness/raw-upstream.ts';

const IN_A_TURN = 64;

async function openSockets(count: number, t: TestContext): Promise<Socket[]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = Array.from({ length: count }, () => connect(portOf(server), '127.0.0.1').resume());
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

const held = (sockets: readonly Socket[]): boolean[] => sockets.map((socket) => socket.isPaused());
const heldFrom = (first: number, count: number): boolean[] =>
  Array.from({ length: count }, (_, place) => place >= first);

test('so many are read from in each turn, in the order of their answers, and how long they waited is told', async (t) => {
  const count = IN_A_TURN * 2 + 10;
  const sockets = await openSockets(count, t);
  const waits: number[] = [];
  const pace = new RequestPace((ms) => waits.push(ms));
  for (const socket of sockets) pace.awaitNext(socket);
  assert.deepEqual(held(sockets), heldFrom(IN_A_TURN, count));
  await turn();
  assert.deepEqual(held(sockets), heldFrom(IN_A_TURN * 2, count));
  for (const socket of sockets.slice(0, IN_A_TURN)) pace.awaitNext(socket);
  assert.deepEqual(held(sockets.slice(0, IN_A_TURN)), heldFrom(0, IN_A_TURN), 'behind those that wait');
  await turn();
  assert.deepEqual(held(sockets.slice(IN_A_TURN)), heldFrom(count, count - IN_A_TURN));
  assert.deepEqual(
    held(sockets.slice(0, IN_A_TURN)),
    heldFrom(IN_A_TURN - 10, IN_A_TURN),
    'what is left of the turn is theirs',
  );
  await turn();
  assert.ok(!held(sockets).includes(true));
  assert.equal(waits.length, 3);
  assert.ok(waits.every((ms) => ms > 0));
});

test('all are read from when the connections are to come to their end', async (t) => {
  const sockets = await openSockets(IN_A_TURN + 20, t);
  const pace = new RequestPace(() => {});
  for (const socket of sockets) pace.awaitNext(socket);
  pace.release();
  for (const socket of sockets) pace.awaitNext(socket);
  assert.ok(!held(sockets).includes(true));
});
