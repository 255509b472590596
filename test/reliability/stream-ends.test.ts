// Answers that nothing but the end of the upstream's connection frames (HTTP/1.0, `Connection: close`): what is cut in the
// middle is no clean end for the client, either.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { chatPost } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { startRawUpstream } from '../harness/raw-upstream.ts';

const CHAT = '/v1/chat/completions';
const ONE = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];

test('a stream without its last event, or within an event, and JSON that is not closed, are broken off', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials: ONE }, t);
  const done = 'data: [DONE]\n\n';
  const stop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
  for (const [path, body, isWhole] of [
    [CHAT, 'data: {"a":1}\n\n', false],
    [CHAT, `data: {"a":1}\n\n${done}`, true],
    [CHAT, `data: {"a":1}\n\n${done.trimEnd()}`, true],
    [CHAT, 'data: {"error":{"message":"theirs"}}\n\n', true],
    ['/v1/messages', 'event: ping\ndata: {}\n\n', false],
    ['/v1/messages', `event: ping\ndata: {}\n\n${stop}`, true],
    ['/v1/responses', 'event: x\ndata: {"half":', false],
    ['/v1/responses', 'event: x\ndata: {}\n\n', true],
    ['/v1/models', '{"data":[{"id":"m"}', false],
    ['/v1/models', '{"data":[{"id":"m"}]}', true],
  ] as const) {
    const client = await RawConnection.open(proxy.port);
    const isStream = path !== '/v1/models';
    const id = `cut-${path}-${body.length}`;
    const { body: request } = chatPost('x', isStream);
    const length = `Content-Length: ${request.length}`;
    client.writeHead(`POST ${path} HTTP/1.1`, 'Host: x', length, `X-Request-Id: ${id}`);
    client.write(request);
    const answering = await upstream.connection();
    await answering.readMessage();
    const type = isStream ? 'text/event-stream' : 'application/json';
    answering.writeHead('HTTP/1.0 200 OK', `Content-Type: ${type}`);
    answering.write(body);
    answering.end();
    const line = await proxy.waitForExchange(id);
    const expected = isWhole ? ['completed', undefined] : ['failed', 'upstream_broke_off'];
    assert.deepEqual([line['outcome'], line['error']], expected, path + body);
    const answer = String(isWhole ? await client.readThrough('\r\n0\r\n\r\n') : await client.readToEnd());
    assert.equal(/"code":"upstream_broke_off"/.test(answer), isStream && !isWhole);
    assert.equal(answer.endsWith('\r\n0\r\n\r\n'), isWhole);
    client.destroy();
  }
});
