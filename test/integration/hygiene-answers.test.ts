// Answers of the upstream that break HTTP: they cost their own exchange at most, never the next one.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { RawConnection } from '../harness/raw-connection.ts';
import { type RecordedProxy, startRecordedProxy } from '../harness/recorded-proxy.ts';
import type { Answer } from '../harness/recording-upstream.ts';

const FORGED = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';
const head = (...headers: readonly string[]): string => ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');

/** The answer, and what the client reads of it: its body, or the error that takes its place; null is a cut. */
const ANSWERS: Readonly<Record<string, readonly [answer: Answer, read: string | null]>> = {
  'that goes on after its Content-Length': [`${head('Content-Length: 2')}okGARBAGE`, 'ok'],
  'with another answer behind it': [`${head('Content-Length: 2')}ok${FORGED}`, 'ok'],
  'with another answer behind its last chunk': [
    `${head('Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\n${FORGED}`,
    'ok',
  ],
  'with two different Content-Length': [
    `${head('Content-Length: 2', 'Content-Length: 40')}ok${FORGED}`,
    'upstream_invalid',
  ],
  'with Content-Length and Transfer-Encoding': [
    `${head('Content-Length: 40', 'Transfer-Encoding: chunked')}2\r\nok\r\n0\r\n\r\n${FORGED}`,
    'upstream_invalid',
  ],
  'with a list as Content-Length': [`${head('Content-Length: 2, 40')}ok`, 'upstream_invalid'],
  'with a negative Content-Length': [`${head('Content-Length: -2')}ok`, 'upstream_invalid'],
  'with a null character in a header': [`${head('X: a\0b', 'Content-Length: 2')}ok`, 'upstream_invalid'],
  'with a bare carriage return in a header': [
    `${head('X: a\rContent-Length: 0\r', 'Content-Length: 2')}ok`,
    'upstream_invalid',
  ],
  'with a bare line feed in a header': [
    `${head('X: a\nContent-Length: 0', 'Content-Length: 2')}ok`,
    'upstream_invalid',
  ],
  'with a folded header': [`${head('X: a', ' b', 'Content-Length: 2')}ok`, 'upstream_invalid'],
  'with a control character in its reason': [`HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nok`, 'ok'],
  'that is no HTTP': ['SSH-2.0-OpenSSH_9.2\r\n', 'upstream_invalid'],
  'of HTTP/2 in the plain': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'upstream_invalid'],
  'that is shorter than its Content-Length': [
    { bytes: `${head('Content-Length: 40')}ok`, thenEnd: true },
    null,
  ],
  'that ends before its last chunk': [
    { bytes: `${head('Transfer-Encoding: chunked')}2\r\nok\r\n`, thenEnd: true },
    null,
  ],
  'with a chunk that is none': [
    `${head('Transfer-Encoding: chunked')}2\r\nok\r\nnonsense\r\n${FORGED}`,
    null,
  ],
};

let stack: RecordedProxy;
before(async () => {
  stack = await startRecordedProxy();
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(() => stack.upstream.forget());

/** Sends one request and tells the body of its answer, or the code of an error; null when the connection is cut. */
async function ask(connection: RawConnection, path: string): Promise<string | null> {
  connection.writeHead(`GET ${path} HTTP/1.1`, 'Host: localhost');
  try {
    return await read(connection);
  } catch (cause) {
    if (connection.hasEnded) return null;
    throw cause;
  }
}

async function read(connection: RawConnection): Promise<string> {
  const start = (await connection.readThrough('\r\n\r\n')).toString('latin1');
  if (!/^transfer-encoding: chunked$/im.test(start)) {
    const body = await connection.readBytes(Number(/^content-length: (\d+)$/im.exec(start)?.[1]));
    return /"code":"([^"]+)"/.exec(String(body))?.[1] ?? String(body);
  }
  const body = (await connection.readThrough('0\r\n\r\n')).toString('latin1');
  return body.replace(/[\da-f]+\r\n|\r\n/g, '');
}

describe('the next exchange on a connection is as it should be after an answer', () => {
  for (const [what, [answer, expected]] of Object.entries(ANSWERS)) {
    it(what, async () => {
      const { upstream, proxy } = stack;
      upstream.answer = ({ path }) => (path === '/base/v1/bad' ? answer : `${head('Content-Length: 4')}fine`);
      let connection = await RawConnection.open(proxy.port);
      assert.equal(await ask(connection, '/v1/bad'), expected);
      if (expected === null) connection = await RawConnection.open(proxy.port);
      for (let request = 0; request < 3; request += 1) {
        assert.equal(await ask(connection, '/v1/next'), 'fine');
      }
      assert.equal(connection.received.length, 0);
      connection.destroy();
    });
  }

  it('that is followed by bytes nobody asked for, later on', async () => {
    const { upstream, proxy } = stack;
    const connection = await RawConnection.open(proxy.port);
    assert.equal(await ask(connection, '/v1/x'), 'ok');
    const open = upstream.openConnections;
    await upstream.sendToAll(FORGED);
    await upstream.connectionsBelow(open);
    assert.equal(await ask(connection, '/v1/x'), 'ok');
    connection.destroy();
  });

  it('to HEAD that has a body all the same', async () => {
    const { upstream, proxy } = stack;
    upstream.answer = ({ head: asked }) =>
      asked.startsWith('HEAD') ? `${head('Content-Length: 6')}body!!` : `${head('Content-Length: 4')}fine`;
    const connection = await RawConnection.open(proxy.port);
    connection.writeHead('HEAD /v1/x HTTP/1.1', 'Host: localhost');
    await connection.readThrough('\r\n\r\n');
    assert.equal(await ask(connection, '/v1/x'), 'fine');
    connection.destroy();
  });

  for (const status of ['204 No Content', '304 Not Modified']) {
    it(`of ${status} that has a body all the same`, async () => {
      const { upstream, proxy } = stack;
      upstream.answer = ({ path }) =>
        path === '/base/v1/bad'
          ? `HTTP/1.1 ${status}\r\nContent-Length: 6\r\n\r\nbody!!`
          : `${head('Content-Length: 4')}fine`;
      const connection = await RawConnection.open(proxy.port);
      connection.writeHead('GET /v1/bad HTTP/1.1', 'Host: localhost');
      const start = String(await connection.readThrough('\r\n\r\n'));
      assert.equal(start.startsWith(`HTTP/1.1 ${status}\r\n`), true, start);
      if (status.startsWith('204')) assert.doesNotMatch(start, /content-length/i);
      assert.equal(await ask(connection, '/v1/x'), 'fine');
      connection.destroy();
    });
  }
});
