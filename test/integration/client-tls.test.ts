// HTTPS towards clients, as clients and operators see it: real processes, two workers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { type Certificate, makeCertificate } from '../harness/certificate.ts';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { type FlowProxy, type Scope, startFlowProxy } from '../harness/flow-proxy.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { startRawUpstream } from '../harness/raw-upstream.ts';
import { sharedStack } from '../harness/shared-stack.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';
const ONE = [{ clientId: 'id', clientSecret: 'a-secret-of-one', tenant: 't' }];
const first = makeCertificate();
const second = makeCertificate();
const TRUSTED = { ca: [first.certificate, second.certificate] };

/** Certificate and key in files of their own. */
class PairFiles {
  readonly settings: Record<string, string>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'flow-proxy-tls-'));

  constructor(scope: Scope, pair: Certificate = first) {
    const { cert, key } = { cert: join(this.#folder, 'cert.pem'), key: join(this.#folder, 'key.pem') };
    this.settings = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key };
    scope.after(async () => rmSync(this.#folder, { recursive: true }));
    this.write(pair.certificate, pair.key);
  }

  write(cert: string, key: string): void {
    writeFileSync(join(this.#folder, 'cert.pem'), cert);
    writeFileSync(join(this.#folder, 'key.pem'), key, { mode: 0o600 });
  }
}

interface SecureCall extends RequestOptions {
  readonly body?: string;
}

function open({ port }: FlowProxy, { body, ...options }: SecureCall): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, ...TRUSTED, agent: false, ...options })
      .once('response', resolve)
      .once('error', reject)
      .end(body);
  });
}

async function get(proxy: FlowProxy, options: SecureCall = {}): Promise<{ status: number; text: string }> {
  const response = await open(proxy, { path: '/v1/models', ...options });
  return { status: response.statusCode ?? 0, text: await text(response) };
}

/** The certificate that a new connection gets. */
async function shownCertificate({ port }: FlowProxy): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ...TRUSTED });
  await once(socket, 'secureConnect');
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return pem(raw);
}

function pem(raw: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${raw.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

const secureStack = (
  t: Scope,
  files: PairFiles,
  more: Record<string, string | number> = {},
): Promise<Stack> => startStack({ settings: { ...files.settings, ...more } }, t);

/** For tests that leave certificate and service as they were. */
const lasting = new PairFiles({ after });
const lastingStack = (): Promise<Stack> => sharedStack({ settings: lasting.settings });

test('clients are served over TLS: plain, streamed, in forward mode and on WebSockets', async () => {
  const { proxy, upstream } = await lastingStack();
  assert.equal((await get(proxy)).status, 200);
  const stream = await open(proxy, { ...chatPost('chunks:3', true), path: CHAT, ...headersOf(chatPost('')) });
  assert.match(await text(stream), /data: \[DONE\]\n\n$/);
  const forward = await get(proxy, {
    path: `${upstream.url}/v1/models`,
    headers: { host: new URL(upstream.url).host },
  });
  assert.equal(forward.status, 200, forward.text);
  const socket = new WebSocket(`wss://127.0.0.1:${proxy.port}/v1/realtime?model=gpt-4o`, TRUSTED);
  await once(socket, 'open');
  socket.send('hello');
  const [message] = await once(socket, 'message');
  assert.equal(String(message), 'hello');
  socket.close();
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('Ready on'));
  assert.match(line.msg, /^Ready on https:\/\/127\.0\.0\.1:\d+ /);
});

test('an answer that breaks off for an HTTP/1.0 client over TLS ends without the end of TLS, and costs nobody else anything', async (t) => {
  const upstream = await startRawUpstream(t);
  const files = new PairFiles(t);
  const settings = { ...files.settings, NUM_WORKERS: 1 };
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials: ONE, settings }, t);
  const pids = proxy.workerPids();
  const socket = connect({ host: '127.0.0.1', port: proxy.port, ...TRUSTED }).on('error', () => {});
  const id = 'http-1-0-over-tls';
  socket.write(`GET /v1/models HTTP/1.0\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`);
  const answering = await upstream.connection();
  await answering.readMessage();
  answering.writeHead('HTTP/1.1 200 OK', 'Content-Length: 100');
  answering.write('half');
  const closed = once(socket, 'close');
  let answer = '';
  for await (const piece of socket.setEncoding('latin1')) {
    answer += piece;
    if (answer.endsWith('half')) answering.destroy();
  }
  await closed;
  assert.match(answer, /\r\n\r\nhalf$/);
  const { outcome } = await proxy.waitForExchange(id);
  assert.equal(outcome, 'failed');
  assert.deepEqual(proxy.workerPids(), pids);
  assert.ok(!proxy.logLines.some(({ msg }) => msg.startsWith('A fault in flow-proxy itself')));
});

test('a connection over TLS is kept for the next request', async (t) => {
  const { proxy } = await lastingStack();
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...TRUSTED });
  t.after(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 3; i += 1) {
    const response = await open(proxy, { path: '/v1/models', agent });
    ports.add(response.socket.localPort);
    await text(response);
  }
  assert.equal(ports.size, 1);
});

test('an offer to upgrade to HTTP/2 is ignored over TLS as well', async () => {
  const { proxy } = await lastingStack();
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
  assert.equal((await get(proxy, { headers })).status, 200);
});

test('nothing older than TLS 1.2 is spoken, and whatever is no TLS ends no worker', async () => {
  const { proxy } = await lastingStack();
  const pids = proxy.workerPids();
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await assert.rejects(get(proxy, old), /alert protocol version/);
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x16\x03\x01\x00\x05hello',
    '\0'.repeat(1_000),
  ]) {
    const socket = connectPlain(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume().write(bytes);
    await once(socket, 'close');
  }
  assert.equal((await get(proxy)).status, 200);
  assert.deepEqual(proxy.workerPids(), pids);
});

test('a certificate is renewed on SIGHUP by every worker, and no connection is dropped', async (t) => {
  const files = new PairFiles(t);
  const { proxy } = await secureStack(t, files);
  const pids = proxy.workerPids();
  const stream = await open(proxy, {
    ...chatPost('chunks:40 interval:50', true),
    path: CHAT,
    ...headersOf(chatPost('')),
  });
  const streamed = text(stream);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...TRUSTED });
  t.after(() => agent.destroy());
  const before = await open(proxy, { path: '/v1/models', agent });
  const { localPort } = before.socket;
  await text(before);

  files.write(second.certificate, second.key);
  proxy.kill('SIGHUP');
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('Certificate renewed'));
  assert.match(line.msg, /^Certificate renewed: localhost, valid until 20/);
  await eventually('the new certificate on every worker', async () => {
    const shown = await Promise.all([1, 2, 3, 4].map(() => shownCertificate(proxy)));
    return shown.every((one) => one === second.certificate) ? true : undefined;
  });
  const after = await open(proxy, { path: '/v1/models', agent });
  assert.equal(after.statusCode, 200);
  assert.equal(after.socket.localPort, localPort);
  await text(after);
  assert.match(await streamed, /data: \[DONE\]\n\n$/);
  assert.deepEqual(proxy.workerPids(), pids);
});

test('a pair that does not belong together is refused on SIGHUP, and the old one goes on', async (t) => {
  const files = new PairFiles(t);
  const { proxy } = await secureStack(t, files);
  files.write(second.certificate, first.key);
  proxy.kill('SIGHUP');
  const line = await proxy.waitForLog(({ msg }) => msg.startsWith('SIGHUP: reload refused'));
  assert.equal(line.level, 'ERROR');
  assert.match(line.msg, /FLOW_PROXY_TLS_KEY_FILE ".*" is not the key of the certificate/);
  assert.equal(await shownCertificate(proxy), first.certificate);
});

test('a pair that cannot be used is refused by check and at the start', async (t) => {
  const { credentials } = await startStack({}, t);
  const files = new PairFiles(t, { certificate: first.certificate, key: second.key });
  for (const args of [['check'], []]) {
    const refused = await runFlowProxy({ args, credentials, settings: files.settings });
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /is not the key of the certificate in FLOW_PROXY_TLS_CERT_FILE/);
  }
  const half = await runFlowProxy({ args: ['check'], credentials, settings: { TLS_CERT_FILE: 'cert.pem' } });
  assert.equal(half.code, 78);
  assert.match(
    half.stderr,
    /FLOW_PROXY_TLS_CERT_FILE is set but FLOW_PROXY_TLS_KEY_FILE is not: both or none/,
  );
  files.write(first.certificate, first.key);
  const fine = await runFlowProxy({ args: ['check'], credentials, settings: files.settings });
  assert.match(fine.stdout, /tls: +localhost, valid until 20/);
});

test('a stream over TLS is drained to its end, and a handshake on its way is not cut off', async (t) => {
  const { proxy } = await secureStack(t, new PairFiles(t));
  const stream = await open(proxy, {
    ...chatPost('chunks:20 interval:50', true),
    path: CHAT,
    ...headersOf(chatPost('')),
  });
  const streamed = text(stream);
  const late = connectPlain(proxy.port, '127.0.0.1');
  await once(late, 'connect');
  const stopped = proxy.stop();
  await eventually('draining', () => {
    const titles = proxy.workerPids().map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    return titles.every((title) => title.includes('draining')) ? true : undefined;
  });
  const socket = connect({ socket: late, ...TRUSTED, host: '127.0.0.1' });
  await once(socket, 'secureConnect');
  assert.match(await answerOn(socket), /^HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*connection: close\r\n/i);
  assert.match(await streamed, /data: \[DONE\]\n\n$/);
  assert.equal(await stopped, 0);
});

test('the private key is in no output and in no environment of a process', async (t) => {
  const files = new PairFiles(t);
  const { proxy } = await secureStack(t, files, { LOG_LEVEL: 'DEBUG' });
  await get(proxy);
  const health = await get(proxy, { path: '/health' });
  const secret = first.key.split('\n')[1] ?? '';
  assert.ok(secret.length > 30);
  const processes = [proxy.pid, ...proxy.workerPids()].flatMap((pid) =>
    ['environ', 'cmdline'].map((what) => readFileSync(`/proc/${pid}/${what}`, 'utf8')),
  );
  assert.ok(![proxy.stdout, proxy.stderr, health.text, ...processes].join().includes(secret));
});

test('without a certificate clients are served as before', async (t) => {
  const { proxy } = await startStack({}, t);
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
});

function headersOf({ method = 'POST', headers = {} }: ReturnType<typeof chatPost>): RequestOptions {
  return { method, headers: { ...headers } };
}

async function answerOn(socket: TLSSocket): Promise<string> {
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  return text(socket);
}
