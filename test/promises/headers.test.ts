// Which headers cross the proxy, and which paths.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { call } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { startRawUpstream } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.close());
beforeEach(() => stack.reset());

test('everything is passed on but hop-by-hop headers and what authenticates the client', async () => {
  const headers = [
    ...['Host', 'whatever.example', 'Authorization', 'Bearer client', 'X-Api-Key', 'client', 'Cookie', 'a=b'],
    ...['Connection', 'keep-alive, X-Hop', 'X-Hop', 'gone', 'TE', 'trailers', 'Keep-Alive', 'timeout=5'],
    ...['Proxy-Authorization', 'Basic x', 'Proxy-Connection', 'keep-alive', 'Upgrade-Insecure-Requests', '1'],
    ...['X-Twice', 'first', 'X-Twice', 'second', 'User-Agent', 'Weird/1.0 (ü)', 'X-Empty', ''],
  ];
  assert.equal((await call(`${stack.proxy.url}/v1/models?a=1&b=%20x`, { headers })).status, 200);
  const [seen] = stack.upstream.requests;
  assert.equal(seen?.url, '/flow-llm-proxy/v1/models?a=1&b=%20x');
  const own = ['host', 'connection', 'authorization'];
  const passed = seen.rawHeaders.filter(([name]) => !own.includes(name.toLowerCase()));
  assert.deepEqual(passed, [
    ['Upgrade-Insecure-Requests', '1'],
    ['X-Twice', 'first'],
    ['X-Twice', 'second'],
    ['User-Agent', 'Weird/1.0 (ü)'],
    ['X-Empty', ''],
  ]);
  const one = (wanted: string): string[] =>
    seen.rawHeaders.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  assert.deepEqual(one('host'), [`127.0.0.1:${stack.upstream.port}`]);
  assert.equal(one('authorization').length, 1);
  assert.match(one('authorization')[0] ?? '', /^Bearer eyJ/);
});

test('hop-by-hop headers of the answer stay here, and its request id is readable under another name', async (t) => {
  const upstream = await startRawUpstream(t);
  const credentials = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials }, t);
  const answering = call(`${proxy.url}/v1/models`, { headers: { 'x-request-id': 'mine-1' } });
  const connection = await upstream.connection();
  await connection.readMessage();
  connection.writeHead(
    ...['HTTP/1.1 200 Fine', 'Connection: close, X-Hop', 'X-Hop: gone', 'Keep-Alive: timeout=1'],
    ...['Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Request-Id: theirs', 'Content-Length: 2', 'X-Kept: ü'],
  );
  connection.write('{}');
  const { headers, status } = await answering;
  assert.equal(status, 200);
  assert.equal(headers['x-request-id'], 'mine-1');
  assert.equal(headers['x-upstream-request-id'], 'theirs');
  assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(headers['x-hop'], undefined);
  assert.equal(headers['keep-alive'], undefined);
});

test('a request without an id gets one, and it is in the log line', async () => {
  const { headers } = await call(`${stack.proxy.url}/v1/models`);
  const line = await stack.proxy.waitForExchange(String(headers['x-request-id']));
  assert.deepEqual(
    [line['method'], line['path'], line['status'], line['attempts'], line['outcome']],
    ['GET', '/v1/models', 200, 1, 'completed'],
  );
  for (const field of ['worker', 'credential', 'bytesOut', 'ttfbMs', 'durationMs'])
    assert.ok(field in line, field);
  assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/);
});

test('forward mode works for the upstream and for nothing else', async () => {
  const { port } = stack.proxy;
  const send = async (target: string, method = 'GET'): Promise<string> => {
    const connection = new RawConnection(connect(port, '127.0.0.1'));
    connection.writeHead(`${method} ${target} HTTP/1.1`, 'Host: x', 'Connection: close');
    return (await connection.readToEnd()).toString();
  };
  const base = stack.upstream.url;
  assert.match(await send(`${base}/v1/models`), /^HTTP\/1.1 200 /);
  assert.equal(stack.upstream.requests.length, 1);
  for (const [target, method, status] of [
    ['http://example.com/flow-llm-proxy/v1/models', 'GET', 403],
    [`${stack.upstream.origin}/other/v1/models`, 'GET', 403],
    [`${base}x/v1/models`, 'GET', 403],
    [`${base}/../v1/models`, 'GET', 400],
    ['http://[::bad/', 'GET', 400],
    ['example.com:443', 'CONNECT', 405],
  ] as const) {
    const answer = await send(target, method);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), target);
    assert.match(answer, /application\/json[\s\S]*\{"error":\{/, target);
  }
  assert.equal(stack.upstream.requests.length, 1);
});

test('local routes are answered here and never forwarded', async () => {
  const { url } = stack.proxy;
  const root = await call(url);
  assert.equal(JSON.parse(root.text).name, 'flow-proxy');
  const health = JSON.parse((await call(`${url}/health`)).text);
  assert.equal(health.status, 'ok');
  assert.deepEqual(health.credentials, { available: 3, total: 3 });
  assert.deepEqual(health.workers, { ready: 2, wanted: 2 });
  for (const path of ['/', '/health', '/healthz', '/readyz']) {
    assert.equal((await call(url + path)).status, 200, path);
    const head = await call(url + path, { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [200, ''], path);
    for (const method of ['POST', 'DELETE', 'OPTIONS']) {
      const other = await call(url + path, { method });
      assert.deepEqual([other.status, other.headers.allow], [405, 'GET, HEAD'], `${method} ${path}`);
    }
  }
  assert.equal(stack.upstream.requests.length, 0);
});

test('an offer to upgrade to HTTP/2 is ignored', async () => {
  const connection = new RawConnection(connect(stack.proxy.port, '127.0.0.1'));
  connection.writeHead(
    ...[
      'POST /v1/chat/completions HTTP/1.1',
      'Host: x',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
    ],
    ...['HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA', 'Content-Length: 2'],
  );
  connection.write('{}');
  assert.match(
    (await connection.readMessage()).head,
    /^HTTP\/1.1 400 /,
    'the upstream refuses this chat, not the upgrade',
  );
  assert.equal(stack.upstream.requests[0]?.bodyBytes, 2);
  connection.destroy();
});
