import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';

async function freePort(): Promise<number> {
  const { server, port } = await occupiedPort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function occupiedPort(): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

async function envFileFor(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'service.env');
  await writeFile(file, text);
  return file;
}

test('A reload moves the admin listener, keeps every count and replaces no worker for it', async (t) => {
  const port = await freePort();
  const envFile = await envFileFor(t, 'FLOW_PROXY_ADMIN_LISTEN=127.0.0.1:0\n');
  // Not set in the environment, which would have the last word.
  const { proxy } = await startStack({ args: ['--env-file', envFile], settings: { ADMIN_LISTEN: '' } }, t);
  const before = await proxy.adminUrl();
  await call(`${proxy.url}/healthz`);
  const health = { route: '/healthz' };
  await eventually('a counted request', async () => {
    const seen = await scrape(before);
    return seen.sum('flow_proxy_requests_total', health) === 1 ? true : undefined;
  });
  const workers = proxy.workerPids();
  await writeFile(envFile, `FLOW_PROXY_ADMIN_LISTEN=127.0.0.1:${port}\n`);
  proxy.kill('SIGHUP');
  const after = await eventually('the move', () => scrape(`http://127.0.0.1:${port}`).catch(() => undefined));
  assert.equal(after.sum('flow_proxy_requests_total', health), 1);
  assert.equal(after.sum('flow_proxy_last_reload_success'), 1);
  assert.deepEqual(proxy.workerPids(), workers);
  await assert.rejects(call(`${before}/metrics`));
});

test('Replacing every worker by a reload loses no count', async (t) => {
  const envFile = await envFileFor(t, 'FLOW_PROXY_THROTTLE_WAIT=1\n');
  const { proxy } = await startStack(
    { args: ['--env-file', envFile], settings: { ADMIN_LISTEN: '127.0.0.1:0' } },
    t,
  );
  const admin = await proxy.adminUrl();
  // The last of them are counted after the latest heartbeat.
  for (let sent = 0; sent < 20; sent += 1) await call(`${proxy.url}/v1/models`);
  await writeFile(envFile, 'FLOW_PROXY_THROTTLE_WAIT=2\n');
  proxy.kill('SIGHUP');
  const models = { route: '/v1/models' };
  const after = await eventually('the end of the old workers', async () => {
    const seen = await scrape(admin);
    const isOver = seen.sum('flow_proxy_worker_restarts_total', { reason: 'reload' }) === 2;
    // Their last messages may be read after their end is known.
    return isOver && seen.sum('flow_proxy_requests_total', models) >= 20 ? seen : undefined;
  });
  assert.equal(after.sum('flow_proxy_requests_total', models), 20);
  assert.equal(after.sum('flow_proxy_generation'), 2);
});

test('A port that is taken costs the metrics until it is free, but not the service', async (t) => {
  const { server, port } = await occupiedPort();
  t.after(() => server.close());
  const { proxy } = await startStack({ settings: { ADMIN_LISTEN: `127.0.0.1:${port}` } }, t);
  const { msg, level } = await proxy.waitForLog((line) => line.msg.startsWith('No metrics'));
  assert.equal(level, 'WARNING');
  assert.match(msg, new RegExp(`127\\.0\\.0\\.1:${port} .*FLOW_PROXY_ADMIN_LISTEN.*in use.*serving goes on`));
  assert.equal((await call(`${proxy.url}/v1/models`)).status, 200);
  await new Promise((resolve) => server.close(resolve));
  await eventually('the second try', () => scrape(`http://127.0.0.1:${port}`).catch(() => undefined));
});
