// Each limit on the way has its own error.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { startFlowProxy } from '../harness/flow-proxy.ts';
import { type Answer, call, chatPost, openCall, readAnswer } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';
/** Listens, lets one connection wait, and never accepts: the next ones get no answer to their SYN. */
const FULL = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
server.on('listening', () => { console.log(server.address().port); process.kill(process.pid, 'SIGSTOP'); });`;

let stack: Stack;
before(async () => {
  stack = await startStack({
    credentials: 12,
    settings: { FIRST_BYTE_TIMEOUT: 2, IDLE_TIMEOUT: 2, EXCHANGE_TIMEOUT: 5 },
  });
});
after(() => stack.close());

function codeOf({ text }: Answer): string {
  return JSON.parse(text).error.code;
}

async function fill(child: ChildProcess): Promise<number> {
  assert.ok(child.stdout);
  const [line] = await once(child.stdout, 'data');
  const port = Number(String(line));
  for (let i = 0; i < 2; i += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
  }
  // Those beyond wait for ever; the kernel answers some of them only after a second.
  for (let i = 0; i < 4; i += 1)
    connect(port, '127.0.0.1')
      .on('error', () => {})
      .unref();
  return port;
}

test('an upstream that does not answer the connection: 504 upstream_connect_timeout, after an attempt for each', async (t) => {
  const child = spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const port = await fill(child);
  const settings = { CONNECT_TIMEOUT: 0.5, NUM_WORKERS: 1 };
  const { credentials } = stack;
  const proxy = await startFlowProxy({ upstream: `http://127.0.0.1:${port}`, credentials, settings }, t);
  const answer = await call(`${proxy.url}${CHAT}`, chatPost('x'));
  assert.deepEqual([answer.status, codeOf(answer)], [504, 'upstream_connect_timeout']);
  assert.match(answer.text, /did not accept a connection in time/);
  const line = await proxy.waitForExchange(String(answer.headers['x-request-id']));
  assert.equal(line['attempts'], 3);
  await proxy.stop();
  assert.ok(
    !proxy.logLines.some(({ msg }) => msg.includes('marked as failed')),
    'it is no credential’s fault',
  );
});

test('an answer that does not begin: 504 upstream_first_byte_timeout, once, since it may have been billed', async () => {
  stack.reset();
  stack.upstream.setFaults([{ fault: { type: 'stall' } }]);
  const answer = await call(`${stack.proxy.url}${CHAT}`, chatPost('x'));
  assert.deepEqual([answer.status, codeOf(answer)], [504, 'upstream_first_byte_timeout']);
  assert.match(answer.text, /did not begin to answer in time/);
  assert.equal(stack.upstream.requests.length, 1);
});

test('a head that comes by the single byte is no answer, either', async () => {
  stack.reset();
  stack.upstream.setFaults([{ fault: { type: 'slowHeaders', intervalMs: 200 } }]);
  const answer = await call(`${stack.proxy.url}${CHAT}`, chatPost('x'));
  assert.deepEqual([answer.status, codeOf(answer)], [504, 'upstream_first_byte_timeout']);
});

test('an answer that stops: a broken connection, upstream_idle_timeout in the log', async () => {
  stack.reset();
  stack.upstream.setFaults([{ fault: { type: 'stall', afterChunks: 1 } }]);
  const response = await openCall(`${stack.proxy.url}${CHAT}`, chatPost('chunks:4', true));
  await assert.rejects(readAnswer(response));
  const line = await stack.proxy.waitForExchange(String(response.headers['x-request-id']));
  assert.deepEqual([line['error'], line['outcome']], ['upstream_idle_timeout', 'failed']);
});

test('an answer that begins in time and stops never, but comes too slowly in all: exchange_timeout', async () => {
  stack.reset();
  const response = await openCall(`${stack.proxy.url}${CHAT}`, chatPost('chunks:200 interval:50', true));
  await assert.rejects(readAnswer(response));
  const line = await stack.proxy.waitForExchange(String(response.headers['x-request-id']));
  assert.equal(line['error'], 'exchange_timeout');
});
