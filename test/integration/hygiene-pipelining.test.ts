// Requests that are sent before the ones ahead of them are answered (RFC 9112 section 9.3.2).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { answersOf, type RecordedProxy, readAnswer, startRecordedProxy } from '../harness/recorded-proxy.ts';

const MOST_IN_FLIGHT = 10;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const answerWith = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy({ MAX_IN_FLIGHT: MOST_IN_FLIGHT });
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(() => stack.upstream.forget());

test('forwarded, local and refused ones are answered in the order they came in', async () => {
  const { upstream, proxy } = stack;
  upstream.answer = ({ path }) => answerWith(path);
  const connection = await RawConnection.open(proxy.port);
  const upload = 'POST /v1/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello';
  const paths = ['/v1/a', '/healthz', '/v1/../c', '/v1/d', '/readyz', '/v1/e'];
  connection.write(paths.map(get).join('') + upload + get('/v1/f'));
  const answers: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    const { status, body, code } = await readAnswer(connection);
    answers.push(`${status} ${code ?? body.trim()}`);
  }
  assert.deepEqual(answers, [
    '200 /base/v1/a',
    '200 {"alive":true}',
    '400 invalid_request_target',
    '200 /base/v1/d',
    '200 {"ready":true,"status":"ok"}',
    '200 /base/v1/e',
    '200 /base/v1/b',
    '200 /base/v1/f',
  ]);
  connection.destroy();
});

test('none is begun before the one ahead of it is answered, since it may count on what that did', async () => {
  const { upstream, proxy } = stack;
  upstream.answer = ({ path }) => (path === '/base/v1/slow' ? null : answerWith(path));
  const connection = await RawConnection.open(proxy.port);
  connection.write(get('/v1/slow') + get('/healthz') + get('/v1/next'));
  await upstream.received(1);
  assert.equal((await call(`${proxy.url}/v1/elsewhere`)).text, '/base/v1/elsewhere');
  assert.deepEqual([connection.received.length, upstream.messages.length], [0, 2]);
  await upstream.sendToAll(answerWith('at last'));
  assert.equal((await readAnswer(connection)).body, 'at last');
  assert.match((await readAnswer(connection)).body, /alive/);
  assert.equal((await readAnswer(connection)).body, '/base/v1/next');
  connection.destroy();
});

test('what is no request is refused after the ones before it are answered, and the connection is closed', async () => {
  const { upstream, proxy } = stack;
  upstream.answer = () => null;
  const connection = await RawConnection.open(proxy.port);
  connection.write(`${get('/v1/slow')}${get('/healthz')}NOT HTTP\r\n\r\n${get('/v1/hidden')}`);
  await upstream.received(1);
  await upstream.sendToAll(answerWith('whole'));
  const answers = answersOf(await connection.readToEnd());
  assert.deepEqual(
    answers.map(({ status, body, code }) => [status, code ?? body.trim()]),
    [
      [200, 'whole'],
      [200, '{"alive":true}'],
      [400, 'malformed_request'],
    ],
  );
  assert.equal(upstream.messages.length, 1);
});

test('nothing is answered behind the last request of a connection', async () => {
  const { upstream, proxy } = stack;
  const connection = await RawConnection.open(proxy.port);
  connection.write(`GET /v1/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${get('/v1/more')}`);
  assert.deepEqual(
    answersOf(await connection.readToEnd()).map(({ body }) => body),
    ['ok'],
  );
  assert.equal(upstream.messages.length, 1);
});

test('a request behind a body that is refused is neither answered nor forwarded', async () => {
  const connection = await RawConnection.open(stack.proxy.port);
  const head = 'POST /v1/x HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 3\r\n\r\nabc';
  connection.write(head + get('/v1/more') + get('/healthz'));
  assert.deepEqual(
    answersOf(await connection.readToEnd()).map(({ status }) => status),
    [417],
  );
  assert.deepEqual(stack.upstream.messages, []);
});

test('requests whose client left before their turn are forgotten, and take up no room', async () => {
  const { upstream, proxy } = stack;
  upstream.answer = () => null;
  // Enough to fill both workers, if they were still counted.
  for (let client = 1; client <= 4; client += 1) {
    const connection = await RawConnection.open(proxy.port);
    connection.write(Array.from({ length: MOST_IN_FLIGHT }, () => get(`/v1/left`)).join(''));
    await upstream.received(client);
    connection.reset();
  }
  await eventually('the end of what they began', () => upstream.openConnections === 0 || undefined);
  upstream.answer = () => answerWith('room');
  for (let request = 0; request < 4; request += 1) {
    assert.equal((await call(`${proxy.url}/v1/x`)).text, 'room');
  }
  assert.equal(upstream.messages.length, 8);
});

test('a client that leaves while its upgrade waits for its turn ends no worker', async () => {
  const { upstream, proxy } = stack;
  const workers = proxy.workerPids();
  upstream.answer = () => null;
  for (const [index, offer] of ['websocket', 'h2c'].entries()) {
    const connection = await RawConnection.open(proxy.port);
    const upgrade = `GET /v1/realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${offer}\r\n\r\n`;
    connection.write(get('/v1/slow') + upgrade);
    await upstream.received(index + 1);
    connection.reset();
  }
  // Written to clients that are gone, in pieces, so that the second one finds out.
  await upstream.sendToAll('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
  await proxy.waitForLog(({ path, outcome }) => path === '/v1/slow' && outcome === 'client_left');
  assert.equal((await call(`${proxy.url}/healthz`)).status, 200);
  assert.deepEqual(proxy.workerPids(), workers);
});
