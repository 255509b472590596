// More clients than a worker can keep up with, each asking again as soon as it is answered.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectSecure } from 'node:tls';
import { makeCertificate } from '../harness/certificate.ts';
import { reload, setInEnvFile, statusOf } from '../harness/control.ts';
import { eventually } from '../harness/eventually.ts';
import { type FlowProxy, startFlowProxy } from '../harness/flow-proxy.ts';
import { portOf } from '../harness/raw-upstream.ts';

const CLIENTS = 400;
/** Handshakes take their time. */
const SECURE_CLIENTS = 150;
/** In a turn of the loop up to 64 are read, and as many may wait for their answer. */
const FEW = 140;
const CREDENTIAL = { name: 'one', clientId: 'one', clientSecret: 'secret-of-one-0123', tenant: 'tenant' };
const REQUEST = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

/** A client that always has a request under way, over one connection after another. */
class Asker {
  answered = 0;
  readonly faults: string[] = [];
  readonly #open: () => Socket;
  #socket: Socket | null = null;
  #isOver = false;

  constructor(open: () => Socket) {
    this.#open = open;
    this.#connect();
  }

  stop(): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    let text = '';
    let isLast = false;
    socket.write(REQUEST);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      if (!text.endsWith('\r\n\r\n{}')) return;
      if (!text.startsWith('HTTP/1.1 200 ')) this.faults.push(text);
      this.answered += 1;
      isLast = /^connection: close$/im.test(text);
      text = '';
      if (!isLast) socket.write(REQUEST);
    });
    socket.on('error', (cause) => this.#isOver || this.faults.push(cause.message));
    socket.on('close', () => {
      if (this.#isOver) return;
      if (!isLast) this.faults.push(`closed without an answer, after ${this.answered}: ${text}`);
      this.#connect();
    });
  }
}

/** Answers at once and costs next to nothing, so that the worker is what everybody waits for. */
async function startQuickUpstream(t: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('data', () => socket.write(ANSWER)).on('error', () => {}));
  }).listen(0, '127.0.0.1', 4_096);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

async function startCrowd(
  t: TestContext,
  clients: number,
  settings: Readonly<Record<string, string | number>>,
  open: (port: number) => Socket,
): Promise<{ readonly proxy: FlowProxy; readonly crowd: readonly Asker[] }> {
  const upstream = await startQuickUpstream(t);
  const proxy = await startFlowProxy({ upstream, credentials: [CREDENTIAL], settings }, t);
  const crowd = Array.from({ length: clients }, () => new Asker(() => open(proxy.port)));
  t.after(() => {
    for (const asker of crowd) asker.stop();
  });
  return { proxy, crowd };
}

/** Resolves when each of them has had so many answers more. */
async function answersForAll(crowd: readonly Asker[], count: number): Promise<void> {
  const before = crowd.map(({ answered }) => answered);
  await eventually(`${count} answers for everybody`, () =>
    crowd.every(({ answered }, place) => answered - (before[place] ?? 0) >= count) ? true : undefined,
  );
}

const faultsOf = (crowd: readonly Asker[]): string[] => crowd.flatMap(({ faults }) => faults);

test('a crowd is served in turn, few of its requests at a time', async (t) => {
  const { proxy, crowd } = await startCrowd(t, CLIENTS, { NUM_WORKERS: 1 }, (port) =>
    connectPlain(port, '127.0.0.1'),
  );
  await answersForAll(crowd, 3);
  const before = crowd.map(({ answered }) => answered);
  const seen: number[] = [];
  // It comes with the heartbeats, two in a second. Clients and upstream are this process: when it is behind, more requests
  // wait for it.
  for (let count = 0; count < 6; count += 1) {
    await answersForAll(crowd, 5);
    seen.push((await statusOf(proxy)).inFlight);
  }
  const counts = crowd.map(({ answered }, place) => answered - (before[place] ?? 0));
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  assert.ok(Math.min(...seen) < FEW, `in flight: ${seen}`);
  // A client that is read from eight times in its turn may be a turn or two ahead; this process, when it is behind, hears
  // of some of its own sockets before others.
  assert.ok(most < least * 3, `answers for one client: ${least} to ${most}`);
  assert.deepEqual(faultsOf(crowd), []);
});

test('a reload costs nobody in the crowd a request, with two workers and over TLS', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-crowd-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { certificate, key } = makeCertificate();
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(TLS_CERT_FILE, certificate);
  writeFileSync(TLS_KEY_FILE, key, { mode: 0o600 });
  const settings = { NUM_WORKERS: 2, TLS_CERT_FILE, TLS_KEY_FILE };
  const { proxy, crowd } = await startCrowd(t, SECURE_CLIENTS, settings, (port) =>
    connectSecure({ port, host: '127.0.0.1', ca: certificate }),
  );
  await answersForAll(crowd, 2);
  setInEnvFile(proxy, 'KEEP_ALIVE_TIMEOUT', 61);
  const reply = await reload(proxy);
  assert.equal(reply.outcome, 'done', reply.reasons.join('; '));
  await answersForAll(crowd, 2);
  assert.deepEqual(faultsOf(crowd), []);
});
