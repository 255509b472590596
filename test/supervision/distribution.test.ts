// Which worker gets a new connection: the one with fewest, over HTTP and HTTPS alike.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get as getPlain } from 'node:http';
import { get as getSecure, Agent as SecureAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate } from '../harness/certificate.ts';
import { eventually } from '../harness/eventually.ts';
import type { FlowProxy, Scope } from '../harness/flow-proxy.ts';
import { startStack } from '../harness/stack.ts';

/** A client's connection that is kept. */
interface Kept {
  /** Number of the worker that has it. */
  readonly worker: number;
  close(): void;
}

/** Opens connections to one service, plain or TLS. */
class Client {
  readonly #proxy: FlowProxy;
  readonly #ca: string | null;

  constructor(proxy: FlowProxy, ca: string | null) {
    this.#proxy = proxy;
    this.#ca = ca;
  }

  /** One connection that has had one answer. */
  async open(): Promise<Kept> {
    const agent =
      this.#ca === null ? new Agent({ keepAlive: true }) : new SecureAgent({ keepAlive: true, ca: this.#ca });
    const get = this.#ca === null ? getPlain : getSecure;
    const { port } = this.#proxy;
    const id = await new Promise<unknown>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path: '/v1/models', agent }, (response) => {
        response.resume().once('end', () => resolve(response.headers['x-request-id']));
      }).once('error', reject);
    });
    const { worker } = await this.#proxy.waitForLog(({ requestId }) => requestId === id);
    assert.ok(typeof worker === 'number');
    return { worker, close: () => agent.destroy() };
  }

  /** As many as that, all begun before the first has its answer. */
  openAtOnce(count: number): Promise<Kept[]> {
    return Promise.all(Array.from({ length: count }, () => this.open()));
  }
}

async function startClient(isSecure: boolean, t: Scope): Promise<Client> {
  if (!isSecure) return new Client((await startStack({}, t)).proxy, null);
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-distribution-'));
  t.after(async () => rmSync(folder, { recursive: true }));
  const { certificate, key } = makeCertificate();
  const [TLS_CERT_FILE, TLS_KEY_FILE] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(TLS_CERT_FILE, certificate);
  writeFileSync(TLS_KEY_FILE, key, { mode: 0o600 });
  const { proxy } = await startStack({ settings: { TLS_CERT_FILE, TLS_KEY_FILE } }, t);
  return new Client(proxy, certificate);
}

for (const isSecure of [false, true]) {
  const scheme = isSecure ? 'HTTPS' : 'HTTP';

  test(`${scheme} connections that come at once fall evenly on the workers`, async (t) => {
    const client = await startClient(isSecure, t);
    const kept: Kept[] = [];
    for (const count of [4, 16, 16, 16]) {
      kept.push(...(await client.openAtOnce(count)));
      assert.equal(kept.filter(({ worker }) => worker === 0).length, kept.length / 2);
    }
    for (const each of kept) each.close();
  });

  test(`a worker whose ${scheme} connections have closed gets the next ones`, async (t) => {
    const client = await startClient(isSecure, t);
    const kept = await client.openAtOnce(8);
    for (const each of kept) if (each.worker === 1) each.close();
    // The primary hears of it in a moment; in turn, two of three would never be one worker's.
    await eventually('three in a row for the worker with fewest', async () => {
      const next = [await client.open(), await client.open(), await client.open()];
      if (next.every(({ worker }) => worker === 1)) return true;
      for (const each of next) each.close();
      return undefined;
    });
  });
}
