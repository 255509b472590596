// Bytes that no client would send, at the port of a running service: no worker dies, nothing reaches the upstream that
// was not whole, and whoever comes next is served. The numbers are pseudo-random, so that a failure can be repeated.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { statusOf } from '../harness/control.ts';
import { eventually, within } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { type RecordedProxy, startRecordedProxy } from '../harness/recorded-proxy.ts';
import { stopProcess } from '../harness/stop-process.ts';

const ROUNDS = 200;
const AT_ONCE = 20;
/** Longer than any answer takes; most broken requests are answered at once. */
const PATIENCE_MS = 150;
const END_MS = 20_000;

const SEEDS: readonly string[] = [
  'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 56\r\n\r\n{"model":"gpt-4o","stream":true,"messages":[{"role":"u"}]',
  'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nanthropic-beta: x\r\n\r\n1c\r\n{"context_management":{},"a"\r\n3\r\n:1}\r\n0\r\n\r\n',
  'GET /v1/realtime?model=x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x85abcd12345',
  'GET http://[::bad/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nAccess-Control-Request-Method: POST\r\n\r\n',
  'PUT /v1/x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close, te\r\nTE: trailers\r\n\r\nabc',
  'GET /health HTTP/1.0\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
];

/** Pieces that parsers stumble over. */
const TRAPS: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '%2e%2e/',
  '..;/',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: authorization, host\r\n',
  'Upgrade: websocket\r\n',
  'x'.repeat(40_000),
  '\xff\xfe\x80',
  '{"a":'.repeat(500),
  '\\u0000"',
];

/** A linear congruential generator (Numerical Recipes). */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function pick<T>(random: (below: number) => number, from: readonly T[]): T {
  const picked = from[random(from.length)];
  assert.ok(picked !== undefined);
  return picked;
}

/** Noise, or a request with a few bytes changed, cut, doubled or inserted. */
function bytesOf(random: (below: number) => number): Buffer {
  if (random(6) === 0) return Buffer.from(Array.from({ length: 1 + random(2_000) }, () => random(256)));
  let text = pick(random, SEEDS);
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(text.length);
    const [before, after] = [text.slice(0, at), text.slice(at)];
    const kind = random(5);
    if (kind === 0) text = before + String.fromCharCode(random(256)) + after.slice(1);
    else if (kind === 1) text = before + after.slice(1 + random(8));
    else if (kind === 2) text = before + pick(random, TRAPS) + after;
    else if (kind === 3) text = before + text.slice(random(text.length)) + after;
    else text = text + pick(random, SEEDS);
  }
  return Buffer.from(text, 'latin1');
}

/** Sends bytes in one or two pieces and leaves after a while, one way or another. */
function throwAt(port: number, bytes: Buffer, random: (below: number) => number): Promise<void> {
  const cut = random(bytes.length);
  const isReset = random(2) === 0;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(bytes.subarray(0, cut));
      setImmediate(() => socket.write(bytes.subarray(cut)));
    });
    socket.setTimeout(PATIENCE_MS, () => (isReset ? socket.resetAndDestroy() : socket.destroy()));
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
  });
}

async function assertUnharmed({ proxy, upstream }: RecordedProxy, workers: readonly number[]): Promise<void> {
  assert.deepEqual(proxy.workerPids(), workers, 'no worker was replaced');
  for (let i = 0; i < 4; i += 1) {
    assert.equal((await call(`${proxy.url}/health`)).status, 200);
    assert.equal((await call(`${proxy.url}/v1/models`)).text, 'ok');
  }
  await eventually('the end of every exchange', async () =>
    (await statusOf(proxy)).inFlight === 0 ? true : undefined,
  );
  assert.equal(await proxy.stop(), 0);
  const faults = proxy.logLines.filter(
    ({ msg, error }) => error === 'internal_error' || /fault in flow-proxy|ended by|wrote:/i.test(msg),
  );
  assert.deepEqual(faults, []);
  for (const { head } of upstream.messages) {
    assert.match(head, /^[A-Z-]+ \/base(?:[/?]\S*)? HTTP\/1\.1\r\n/);
    assert.match(head, /^Authorization: LEASED$/m);
  }
}

for (const seed of [1, 20_261_124]) {
  test(`${ROUNDS} connections with random bytes and mutated requests do no harm (seed ${seed})`, async (t) => {
    const stack = await startRecordedProxy({ LOG_LEVEL: 'DEBUG' }, t);
    const workers = stack.proxy.workerPids();
    const random = generator(seed);
    let left = ROUNDS;
    const attacker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const bytes = bytesOf(random);
        await within(
          `an end for ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`,
          END_MS,
          throwAt(stack.proxy.port, bytes, random),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, attacker));
    assert.ok(stack.upstream.messages.length > 0, 'some came through');
    await assertUnharmed(stack, workers);
  });
}

test('nor do they to workers that are held up, and find clients gone whose bytes they read', async (t) => {
  const stack = await startRecordedProxy({ LOG_LEVEL: 'DEBUG' }, t);
  const workers = stack.proxy.workerPids();
  const random = generator(7);
  for (let round = 0; round < ROUNDS / AT_ONCE; round += 1) {
    for (const pid of workers) await stopProcess(pid);
    const thrown = Array.from({ length: AT_ONCE }, () => throwAt(stack.proxy.port, bytesOf(random), random));
    // Half of the rounds are read after their clients have left, the others while they wait.
    if (round % 2 === 0) await within('the leaving of all', END_MS, Promise.all(thrown));
    for (const pid of workers) process.kill(pid, 'SIGCONT');
    await within('an end for each', END_MS, Promise.all(thrown));
  }
  await assertUnharmed(stack, workers);
});
