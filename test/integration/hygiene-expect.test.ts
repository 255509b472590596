// Clients that ask before they send a body: `Expect: 100-continue` (RFC 9110 section 10.1.1).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { RawConnection } from '../harness/raw-connection.ts';
import { answersOf, type RecordedProxy, readAnswer, startRecordedProxy } from '../harness/recorded-proxy.ts';

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy({ MAX_BODY_MB: 0.01, KEEP_BODY_MB: 0.001 });
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(() => stack.upstream.forget());

async function ask(...headers: readonly string[]): Promise<RawConnection> {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.writeHead('POST /v1/messages HTTP/1.1', 'Host: localhost', ...headers);
  return connection;
}

for (const [what, size] of [
  ['kept', 5],
  ['streamed', 5_000],
] as const) {
  test(`a client is told to go on, and its request goes out with a credential (body ${what})`, async () => {
    const connection = await ask('Expect: 100-Continue', `Content-Length: ${size}`);
    assert.equal(String(await connection.readThrough('\r\n\r\n')), 'HTTP/1.1 100 Continue\r\n\r\n');
    assert.equal(stack.upstream.messages.length, 0);
    connection.write('x'.repeat(size));
    assert.equal((await readAnswer(connection)).body, 'ok');
    const [message] = stack.upstream.messages;
    assert.match(message?.head ?? '', /^Authorization: LEASED$/m);
    assert.doesNotMatch(message?.head ?? '', /expect/i);
    assert.equal(message?.body, 'x'.repeat(size));
    connection.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal((await readAnswer(connection)).status, 200);
    connection.destroy();
  });
}

test('a body that is too large is refused with 413 in place of 100, and the connection closed', async () => {
  const connection = await ask('Expect: 100-continue', 'Content-Length: 20000');
  const [answer, ...others] = answersOf(await connection.readToEnd());
  assert.deepEqual([answer?.status, answer?.code, others], [413, 'body_too_large', []]);
  assert.match(answer?.body ?? '', /^\{"type":"error"/);
  assert.deepEqual(stack.upstream.messages, []);
});

test('a path that is refused is so in place of 100, and what might be a body or a request is not read as one', async () => {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.writeHead('POST /v1/../x HTTP/1.1', 'Host: x', 'Expect: 100-continue', 'Content-Length: 30');
  connection.write('GET /v1/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const answers = answersOf(await connection.readToEnd());
  assert.deepEqual(
    answers.map(({ status }) => status),
    [400],
  );
  assert.deepEqual(stack.upstream.messages, []);
});

for (const expectation of ['200-ok', '100-continue, magic', '']) {
  test(`any other expectation is refused with 417: "${expectation}"`, async () => {
    const connection = await ask(`Expect: ${expectation}`, 'Content-Length: 5');
    const [answer] = answersOf(await connection.readToEnd());
    assert.deepEqual([answer?.status, answer?.code], [417, 'expectation_failed']);
    assert.deepEqual(stack.upstream.messages, []);
  });
}

test('in HTTP/1.0 an expectation is ignored', async () => {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.write('POST /v1/x HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc');
  const [answer] = answersOf(await connection.readToEnd());
  assert.equal(answer?.body, 'ok');
  assert.equal(stack.upstream.messages[0]?.body, 'abc');
});
