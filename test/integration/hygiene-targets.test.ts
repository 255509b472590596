// Where a request may lead: never outside the upstream's base, and no malformed target ends a worker.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { RawConnection } from '../harness/raw-connection.ts';
import { answersOf, type RecordedProxy, readAnswer, startRecordedProxy } from '../harness/recorded-proxy.ts';

let stack: RecordedProxy;
let workers: readonly number[];
before(async () => {
  stack = await startRecordedProxy();
  workers = stack.proxy.workerPids();
});
after(async () => {
  await stack.proxy.end();
  await stack.upstream.close();
});
afterEach(() => stack.upstream.forget());

/** The answers to one request line. */
async function ask(target: string): Promise<readonly { status: number; code: string | undefined }[]> {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.write(
    Buffer.from(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1'),
  );
  return answersOf(await connection.readToEnd()).map(({ status, code }) => ({ status, code }));
}

const OUTSIDE = [
  '/..',
  '/../',
  '/../x',
  '/v1/../../x',
  '/v1/..',
  '/v1/..?q',
  '/%2e%2e/x',
  '/%2E%2E/x',
  '/.%2e/x',
  '/%2e./x',
  '/v1/..;/x',
  '/v1/..;a=b/x',
  '/v1/%2e%2e;/x',
  '/v1/..%3b/x',
  '/v1/..%2fx',
  '/v1/..%2Fx',
  '/v1%2f..%2f..%2fx',
  '/%2f..%2fx',
  '/v1/..%5cx',
  '/v1%5c..%5cx',
  '/v1/..\\x',
  '/\\..\\x',
  '/%252e%252e/x',
  '/%25%32%65%25%32%65/x',
  '/..%252fx',
  '/%25252e%25252e/x',
  '/%c0%ae%c0%ae/x',
  '/%e0%80%ae%e0%80%ae/x',
  '/..%c0%afx',
  '/..%00/x',
  '/..%09/x',
  '/..%20/x',
  '/.%00./x',
  '/..%23/x',
  '/..%3f/x',
  '/v1/%ef%bc%8e%ef%bc%8e/x',
  '/v1/%E2%80%A5/x',
  '/v1/..%ef%bc%8fx',
  '/v1/..%25ef%25bc%258fx',
];

const MALFORMED = [
  'http://[::bad/',
  'http://[::1',
  'http://',
  'http:///v1/x',
  'http://:80/v1/x',
  'http://a:b:c/v1/x',
  'http://localhost:99999/v1/x',
  'http://user:password@localhost/v1/x',
  'ftp://localhost/v1/x',
  'v1/x',
  '*',
  '?',
  '/v1/x#fragment',
  '/v1/%',
  '/v1/%zz',
  '/v1/%e',
  '/v1/\x80\xff',
  '/v1/"x"\x7f',
];

describe('a target is refused with 400 and costs no credential, when it', () => {
  for (const target of OUTSIDE) {
    it(`might lead out of the base: ${JSON.stringify(target)}`, async () => {
      for (const form of [target, `${stack.upstream.url}${target}`]) {
        assert.deepEqual(
          (await ask(form)).map(({ status }) => status),
          [400],
          form,
        );
      }
      assert.deepEqual(stack.upstream.messages, []);
    });
  }

  for (const target of MALFORMED) {
    it(`is malformed: ${JSON.stringify(target)}`, async () => {
      assert.deepEqual(
        (await ask(target)).map(({ status }) => status),
        [400],
      );
      assert.deepEqual(stack.upstream.messages, []);
    });
  }
});

describe('a target reaches the upstream as it was, when it only looks odd:', () => {
  for (const target of [
    '/v1/...',
    '/v1/a..b',
    '/v1/..a',
    '/v1/.hidden',
    '/v1/./x',
    '/v1//x',
    '//v1/x',
    '/v1/%41%2b',
    '/v1/models/meta%2Fllama',
    '/v1/x?a=../..&b=%2e%2e/&c=http://[::bad/',
    "/v1/it's;v=1,2",
  ]) {
    it(target, async () => {
      assert.deepEqual(
        (await ask(target)).map(({ status }) => status),
        [200],
      );
      assert.deepEqual(
        stack.upstream.messages.map(({ path }) => path),
        [`/base${target}`],
      );
    });
  }
});

describe('another place than the upstream is refused with 403:', () => {
  for (const [target, code] of [
    ['http://example.com/base/v1/x', 'host_not_allowed'],
    ['http://127.0.0.1:1/base/v1/x', 'host_not_allowed'],
    ['http://127.0.0.1.example.com/base/v1/x', 'host_not_allowed'],
    ['http://UPSTREAM/v1/x', 'path_not_allowed'],
    ['http://UPSTREAM/baseless/x', 'path_not_allowed'],
    ['http://UPSTREAM', 'path_not_allowed'],
  ] as const) {
    it(target, async () => {
      const here = target.replace('http://UPSTREAM', stack.upstream.url.replace(/\/base$/, ''));
      assert.deepEqual(await ask(here), [{ status: 403, code }]);
      assert.deepEqual(stack.upstream.messages, []);
    });
  }
});

it('whatever was asked for, no worker ended', async () => {
  const connection = await RawConnection.open(stack.proxy.port);
  connection.writeHead('GET /healthz HTTP/1.1', 'Host: localhost');
  assert.equal((await readAnswer(connection)).status, 200);
  connection.destroy();
  assert.deepEqual(stack.proxy.workerPids(), workers);
});
