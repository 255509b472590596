// Which connections are read from in a turn of the loop, with real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Paced, RequestPace } from '../../../src/proxy/request-pace.ts';
import { portOf } from '../../harness/raw-upstream.ts';

const IN_A_TURN = 64;
/** Of those that wait, less those that go on. */
const BEGIN = 24;
const REQUESTS_EACH = 8;

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

const connectionsOf = (sockets: readonly Socket[]): Paced[] =>
  sockets.map((socket) => ({ socket, requestsLeft: 0, isHeldBack: false }));
const held = (sockets: readonly Socket[]): number[] =>
  sockets.flatMap((socket, place) => (socket.isPaused() ? [place] : []));
const places = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, place) => from + place);

test('so many are read from in each turn, in the order in which they came to wait', async (t) => {
  const count = IN_A_TURN + BEGIN + 10;
  const sockets = await openSockets(count, t);
  const pace = new RequestPace();
  for (const connection of connectionsOf(sockets)) pace.awaitNext(connection);
  assert.deepEqual(held(sockets), places(IN_A_TURN, count));
  await turn();
  assert.deepEqual(held(sockets), places(IN_A_TURN, count), 'the first are to bring their requests');
  await turn();
  assert.deepEqual(held(sockets), places(IN_A_TURN + BEGIN, count), 'nobody waits for those that bring none');
  await turn();
  assert.deepEqual(held(sockets), []);
});

test('a connection that is not read from is known as such, as it may be anything but idle', async (t) => {
  const connections = connectionsOf(await openSockets(IN_A_TURN + 2, t));
  const pace = new RequestPace();
  const heldBack = (): number[] => places(0, IN_A_TURN + 2).filter((place) => connections[place]?.isHeldBack);
  for (const connection of connections) pace.awaitNext(connection);
  assert.deepEqual(heldBack(), [IN_A_TURN, IN_A_TURN + 1]);
  await turn();
  await turn();
  assert.deepEqual(heldBack(), []);
});

test('whoever has had a few requests waits for the others', async (t) => {
  const sockets = await openSockets(IN_A_TURN + BEGIN, t);
  const pace = new RequestPace();
  const connections = connectionsOf(sockets);
  const [first, second] = [connections.slice(0, IN_A_TURN), connections.slice(IN_A_TURN)];
  const ask = (some: readonly Paced[]): void => {
    for (const connection of some) pace.awaitNext(connection);
  };
  ask(connections);
  await turn();
  ask(first);
  assert.deepEqual(held(sockets), places(0, IN_A_TURN + BEGIN), 'they had no turn of their own yet');
  await turn();
  for (let request = 1; request < REQUESTS_EACH; request += 1) {
    ask(second);
    await turn();
    assert.deepEqual(held(sockets), places(0, IN_A_TURN), `after ${request}`);
  }
  ask(second);
  await turn();
  assert.deepEqual(held(sockets), places(BEGIN, IN_A_TURN + BEGIN));
});

test('those who have begun go on to the end of their turn, however many wait', async (t) => {
  const sockets = await openSockets(IN_A_TURN + BEGIN * 2, t);
  const pace = new RequestPace();
  const connections = connectionsOf(sockets);
  const [first, others] = [connections.slice(0, IN_A_TURN), connections.slice(IN_A_TURN)];
  for (const connection of connections) pace.awaitNext(connection);
  await turn();
  for (const connection of first) pace.awaitNext(connection);
  // Nobody asks again for two turns of the loop, so that all of the others begin.
  await turn();
  await turn();
  const begun = others.filter(({ isHeldBack }) => !isHeldBack);
  assert.equal(begun.length, BEGIN * 2);
  for (let request = 1; request < REQUESTS_EACH; request += 1) {
    for (const connection of begun) pace.awaitNext(connection);
    await turn();
    assert.deepEqual(held(sockets), places(0, IN_A_TURN), `after ${request}`);
  }
});

test('in a large crowd each has fewer, so that nobody waits for many more than 16,000', async () => {
  const crowd = connectionsOf(Array.from({ length: 4_000 + IN_A_TURN }, () => new Socket()));
  const pace = new RequestPace();
  for (const connection of crowd) pace.awaitNext(connection);
  await turn();
  await turn();
  const taken = crowd.filter(({ requestsLeft }) => requestsLeft > 0);
  assert.deepEqual(
    taken.map(({ requestsLeft }) => requestsLeft),
    Array.from({ length: BEGIN }, () => 3),
  );
});

test('few are read from while connections come turn after turn: each turn accepts one', async (t) => {
  const [count, few] = [IN_A_TURN + 20, 4];
  const sockets = await openSockets(count, t);
  const pace = new RequestPace();
  const connections = connectionsOf(sockets);
  const heldBeside = async (arrivals: number): Promise<number> => {
    for (let arrival = 0; arrival < arrivals; arrival += 1) pace.onArrival();
    await turn();
    for (const connection of connections.filter(({ socket }) => !socket.isPaused())) {
      pace.awaitNext(connection);
    }
    return held(sockets).length;
  };
  assert.equal(await heldBeside(1), count - IN_A_TURN, 'one alone');
  assert.equal(await heldBeside(1), count, 'the next one: whoever was read from waits again');
  assert.equal(await heldBeside(1), count - few, 'another');
  assert.equal(await heldBeside(1), count - few, 'and another');
  assert.equal(await heldBeside(0), count - BEGIN, 'no more of them');
});

test('all are read from when the connections are to come to their end', async (t) => {
  const sockets = await openSockets(IN_A_TURN + 20, t);
  const pace = new RequestPace();
  for (const connection of connectionsOf(sockets)) pace.awaitNext(connection);
  pace.release();
  for (const connection of connectionsOf(sockets)) pace.awaitNext(connection);
  assert.deepEqual(held(sockets), []);
});
