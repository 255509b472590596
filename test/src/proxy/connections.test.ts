// Client connections that are brought to an end, with real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Connections } from '../../../src/proxy/connections.ts';
import { eventually } from '../../harness/eventually.ts';
import { portOf } from '../../harness/raw-upstream.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Longer than an idle connection stays open when draining. */
const BLOCKED_MS = 1_300;

/** A server whose connections are known, and a client that has been answered once and is idle. */
async function startServer(
  t: TestContext,
  onRequest: (request: IncomingMessage) => void = () => {},
): Promise<{ connections: Connections; client: Socket }> {
  const connections = new Connections();
  const server = createServer((request, response) => {
    onRequest(request);
    connections.beginExchange(request.socket, response);
    response.end('answer');
  });
  server.on('connection', (socket) => {
    if (socket instanceof Socket) connections.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(portOf(server), '127.0.0.1');
  t.after(() => {
    client.destroy();
    server.close();
  });
  client.write(REQUEST);
  await once(client, 'data');
  return { connections, client };
}

function blockLoop(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a request that came while the loop was late is answered before its idle connection is closed', async (t) => {
  const { connections, client } = await startServer(t);
  const drained = connections.drain(10_000);
  client.write(REQUEST);
  blockLoop(BLOCKED_MS);
  let answer = '';
  client.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  await once(client, 'end');
  assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*answer$/);
  assert.equal(await drained, 0);
});

test('connections that close in any order are forgotten, and only they', async (t) => {
  const connections = new Connections(0);
  const server = createServer();
  const opened: Socket[] = [];
  server.on('connection', (socket) => {
    if (!(socket instanceof Socket)) return;
    connections.add(socket);
    opened.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  for (let count = 0; count < 5; count += 1) {
    connect(portOf(server), '127.0.0.1').on('error', () => {});
    await once(server, 'connection');
  }
  for (const place of [1, 4, 0, 2, 3]) {
    const socket = opened[place];
    assert.ok(socket !== undefined && connections.of(socket)?.socket === socket);
    const before = connections.surplus;
    socket.destroy();
    await once(socket, 'close');
    assert.equal(connections.of(socket), undefined);
    assert.equal(connections.surplus, before - 1);
  }
  assert.equal(await connections.drain(10_000), 0);
});

test('an idle connection keeps nothing of its last request', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const requests: WeakRef<IncomingMessage>[] = [];
  const { client } = await startServer(t, (request) => {
    requests.push(new WeakRef(request));
    // As the handler does: node does not read on to the request's end by itself.
    request.read(0);
  });
  await eventually('the request is gone', () => {
    collect();
    return requests[0]?.deref() === undefined ? true : undefined;
  });
  assert.equal(requests.length, 1);
  client.write(REQUEST);
  await once(client, 'data');
});

test('one busy connection counts once, however many requests wait on it', async (t) => {
  const connections = new Connections();
  const server = createServer(({ socket }, response) => {
    connections.beginExchange(socket, response)?.inTurn(() => {});
    if (connections.inFlight > 0 && socket.bytesRead === 5 * REQUEST.length) begun += 1;
  });
  let begun = 0;
  server.on('connection', (socket) => {
    if (socket instanceof Socket) connections.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(portOf(server), '127.0.0.1');
  t.after(() => server.close());
  client.write(REQUEST.repeat(5));
  await eventually('all five', () => (begun === 5 ? true : undefined));
  assert.equal(connections.inFlight, 1);
  client.destroy();
  await eventually('its end', () => (connections.inFlight === 0 ? true : undefined));
});
