// How long a client may keep a connection that has nothing to do, and what is no such connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawConnection } from '../harness/raw-connection.ts';
import { type RecordedProxy, readAnswer, startRecordedProxy } from '../harness/recorded-proxy.ts';
import { OK } from '../harness/recording-upstream.ts';

const TIMEOUT_S = 1;
const LESS_OFTEN_MS = 250;
const GET = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n';

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy({ KEEP_ALIVE_TIMEOUT: TIMEOUT_S, NUM_WORKERS: 1 });
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});

/** A connection that has been answered once. */
async function openKept(): Promise<RawConnection> {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.write(GET);
  const { status, head } = await readAnswer(connection);
  assert.equal(status, 200);
  assert.match(head, new RegExp(`^connection: keep-alive\r\nkeep-alive: timeout=${TIMEOUT_S}$`, 'im'));
  return connection;
}

/** Until a connection that was idle meanwhile has been closed, three times over. */
async function untilIdleOnesAreClosed(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const idle = await openKept();
    const since = performance.now();
    assert.equal((await idle.readToEnd()).length, 0);
    assert.ok(performance.now() - since >= TIMEOUT_S * 1_000, 'not before its time');
  }
}

test('a connection with nothing to do is closed when its time is over, and no other one', async (t) => {
  const { proxy, upstream } = stack;
  const used = await openKept();
  const slow = await openKept();
  const unasked = await RawConnection.open(proxy.port);
  const waiting = await openKept();
  upstream.answer = ({ path }) => (path === '/base/v1/slow' ? null : OK);
  waiting.write(GET.replace('models', 'slow'));
  slow.write(GET.slice(0, -4));
  const timer = setInterval(() => {
    used.write(GET);
    slow.write('x');
  }, LESS_OFTEN_MS);
  t.after(() => clearInterval(timer));
  slow.write('\r\nX-Slow: ');
  await untilIdleOnesAreClosed();
  clearInterval(timer);
  assert.ok([used, slow, unasked, waiting].every(({ hasEnded }) => !hasEnded));
  slow.write('\r\n\r\n');
  unasked.write(GET);
  for (const connection of [slow, unasked, used]) assert.equal((await readAnswer(connection)).status, 200);
  await upstream.sendToAll(OK);
  assert.equal((await readAnswer(waiting)).status, 200);
  assert.equal((await used.readToEnd()).subarray(0, 15).toString(), 'HTTP/1.1 200 OK');
  for (const connection of [slow, unasked, waiting]) await connection.readToEnd();
});
