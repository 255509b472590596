// How large and how slow a request may be, and what a client hears that goes beyond.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import {
  answersOf,
  type ReadAnswer,
  type RecordedProxy,
  readAnswer,
  startRecordedProxy,
} from '../harness/recorded-proxy.ts';

const STEP_MS = 30;
/** Far more than a busy machine holds anybody up; what waits for it waits together. */
const TIMEOUT_S = 2;
const MAX_BODY_BYTES = 100 * 1024;

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy({
    MAX_BODY_MB: MAX_BODY_BYTES / 1024 / 1024,
    KEEP_BODY_MB: 0.01,
    HEADER_TIMEOUT: TIMEOUT_S,
    BODY_TIMEOUT: TIMEOUT_S,
  });
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(() => stack.upstream.forget());

/** The only answer on a connection, which ends after it. */
async function lastAnswer(connection: RawConnection): Promise<ReadAnswer> {
  const [answer, ...others] = answersOf(await connection.readToEnd());
  assert.ok(answer);
  assert.deepEqual(others, []);
  return answer;
}

/** Writes pieces one after the other, with pauses, until they are all written or the connection has ended. */
async function trickle(connection: RawConnection, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    if (connection.hasEnded) return;
    connection.write(piece);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

/** Begins with these, and goes on with single bytes. */
function* forever(...first: readonly string[]): Iterable<string> {
  yield* first;
  for (;;) yield 'x';
}

describe('a head', () => {
  it('larger than 32 kB is refused with 431 in the dialect of its path, and logged', async () => {
    for (const [path, body] of [
      ['/v1/messages', /^\{"type":"error","error":/],
      ['/v1/chat/completions', /^\{"error":/],
    ] as const) {
      const connection = await RawConnection.open(stack.proxy.port);
      connection.writeHead(`GET ${path} HTTP/1.1`, 'Host: x', `X-Long: ${'x'.repeat(40_000)}`);
      const answer = await lastAnswer(connection);
      assert.deepEqual([answer.status, answer.code], [431, 'headers_too_large']);
      assert.match(answer.body, body);
    }
    await stack.proxy.waitForLog(({ error, status }) => error === 'headers_too_large' && status === 431);
    assert.equal(stack.upstream.messages.length, 0);
  });

  it('is not cut short silently, however many headers it has', async () => {
    const connection = await RawConnection.open(stack.proxy.port);
    const many = Array.from({ length: 2_500 }, (_, index) => `a${index}:b`);
    connection.writeHead('GET /v1/x HTTP/1.1', ...many, 'Host: x', 'Connection: x-secret', 'X-Secret: 1');
    assert.equal((await readAnswer(connection)).body, 'ok');
    const [message] = stack.upstream.messages;
    assert.equal(message?.head.match(/^a\d+: b$/gm)?.length, 2_500);
    assert.doesNotMatch(message.head, /secret/i);
    connection.destroy();
  });

  it('whose URL is longer than 16,384 characters is refused with 414', async () => {
    for (const length of [16_385, 60_000]) {
      const connection = await RawConnection.open(stack.proxy.port);
      connection.writeHead(`GET /${'x'.repeat(length - 1)} HTTP/1.1`, 'Host: x');
      const answer = await readAnswer(connection);
      assert.deepEqual([answer.status, answer.code], [414, 'uri_too_long'], String(length));
      connection.destroy();
    }
    assert.equal(stack.upstream.messages.length, 0);
  });

  it('that comes by the single byte is refused with 408, the next one on a connection as well, and one that never begins costs the connection, without a word', async () => {
    const silent = (await RawConnection.open(stack.proxy.port)).readToEnd();
    const slow = ['', 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'].map(async (before) => {
      const connection = await RawConnection.open(stack.proxy.port);
      connection.write(before);
      if (before !== '') await readAnswer(connection);
      void trickle(connection, forever('GET /v1/x HTTP/1.1\r\nHost: x\r\n', ...'X-Slow: '));
      return lastAnswer(connection);
    });
    for (const { status, code } of await Promise.all(slow)) {
      assert.deepEqual([status, code], [408, 'request_timeout']);
    }
    assert.equal((await silent).length, 0);
    await stack.proxy.waitForLog(({ error, status }) => error === 'request_timeout' && status === 408);
    assert.equal(stack.upstream.messages.length, 0);
  });
});

describe('a body', () => {
  it('that is announced to be too large is refused with 413 in the dialect of its path, and can be sent to its end', async () => {
    const connection = await RawConnection.open(stack.proxy.port);
    const size = 4 * 1024 * 1024;
    connection.writeHead('POST /v1/messages HTTP/1.1', 'Host: x', `Content-Length: ${size}`);
    for (let sent = 0; sent < size; sent += 64 * 1024) connection.write(Buffer.alloc(64 * 1024));
    const answer = await lastAnswer(connection);
    assert.deepEqual([answer.status, answer.code], [413, 'body_too_large']);
    assert.match(answer.body, /^\{"type":"error".*0\.1 MB \(FLOW_PROXY_MAX_BODY_MB\)/);
    assert.match(answer.head, /^connection: close$/im);
    assert.equal(stack.upstream.messages.length, 0);
  });

  it('that grows too large is refused with 413, and the upstream does not get a whole request', async () => {
    const connection = await RawConnection.open(stack.proxy.port);
    connection.writeHead('POST /v1/x HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked');
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    connection.write(chunk);
    await stack.upstream.waitForRest((rest) => rest !== '');
    connection.write(chunk.repeat(10));
    const answer = await lastAnswer(connection);
    assert.deepEqual([answer.status, answer.code], [413, 'body_too_large']);
    await stack.upstream.waitForRest((rest) => rest === '');
    assert.equal(stack.upstream.messages.length, 0);
  });

  it('of exactly the largest size is sent on', async () => {
    const body = Buffer.alloc(MAX_BODY_BYTES, 'x');
    const { text } = await call(`${stack.proxy.url}/v1/x`, { method: 'POST', body });
    assert.equal(text, 'ok');
    assert.equal(stack.upstream.messages[0]?.body.length, MAX_BODY_BYTES);
  });

  it('that comes by the single byte, or stops, is refused with 408, kept or streamed', async () => {
    const answerTo = async (
      announced: number,
      begun: string,
      rest: Iterable<string>,
    ): Promise<ReadAnswer> => {
      const connection = await RawConnection.open(stack.proxy.port);
      connection.writeHead('POST /v1/messages HTTP/1.1', 'Host: x', `Content-Length: ${announced}`);
      connection.write(begun);
      void trickle(connection, rest);
      const answer = await readAnswer(connection);
      connection.destroy();
      return answer;
    };
    const answers = await Promise.all([
      answerTo(5_000, '', forever()),
      answerTo(50_000, 'x'.repeat(200), forever()),
      answerTo(5_000, 'x'.repeat(4_999), []),
      answerTo(50_000, 'x'.repeat(49_999), []),
    ]);
    for (const { status, code, head, body } of answers) {
      assert.deepEqual([status, code], [408, 'request_timeout']);
      assert.match(head, /^connection: close$/im);
      assert.match(body, /^\{"type":"error".*FLOW_PROXY_BODY_TIMEOUT/);
    }
    await stack.upstream.waitForRest((rest) => rest === '');
    assert.equal(stack.upstream.messages.length, 0);
  });

  it('may take longer than the timeout as long as it keeps coming', async () => {
    const connection = await RawConnection.open(stack.proxy.port);
    const pieces = Array.from({ length: 100 }, () => 'x'.repeat(500));
    connection.writeHead('POST /v1/x HTTP/1.1', 'Host: x', `Content-Length: ${50_000}`);
    await trickle(connection, pieces);
    assert.equal((await readAnswer(connection)).body, 'ok');
    connection.destroy();
  });

  it('that is refused leaves a connection on which the next request is answered', async () => {
    const connection = await RawConnection.open(stack.proxy.port);
    const size = 90_000;
    connection.writeHead('POST /v1/../x HTTP/1.1', 'Host: x', `Content-Length: ${size}`);
    connection.write(`${'x'.repeat(size)}GET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await readAnswer(connection)).status, 400);
    assert.equal((await readAnswer(connection)).body, 'ok');
    connection.destroy();
  });

  it('may be answered by the upstream before its end, and the connection goes on after it', async () => {
    const { upstream, proxy } = stack;
    const connection = await RawConnection.open(proxy.port);
    const refusal = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope';
    connection.writeHead('POST /v1/x HTTP/1.1', 'Host: x', 'Content-Length: 90000');
    connection.write('x'.repeat(20_000));
    await upstream.waitForRest((rest) => rest !== '');
    await upstream.sendToAll(refusal);
    assert.deepEqual([(await readAnswer(connection)).body], ['nope']);
    connection.write(`${'x'.repeat(70_000)}GET /v1/y HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await readAnswer(connection)).body, 'ok');
    connection.destroy();
  });
});

it('whatever was refused, no worker ended and no connection to the upstream is left half used', async () => {
  const { upstream, proxy } = stack;
  assert.equal(proxy.workerPids().length, 2);
  await eventually('idle connections', () => upstream.openConnections === 0 || undefined);
  assert.equal(await proxy.stop(), 0);
  assert.deepEqual(
    proxy.logLines.filter(({ level }) => level === 'ERROR'),
    [],
  );
});
