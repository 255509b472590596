// `flow-proxy healthcheck`: what a container asks, who has no curl.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeCertificate } from '../harness/certificate.ts';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { portOf } from '../harness/raw-upstream.ts';
import { startStack } from '../harness/stack.ts';

describe('healthcheck', () => {
  test('says yes for a service on its own port, whether it lives and whether it can serve', async (t) => {
    const { proxy } = await startStack({ settings: { HOST: '0.0.0.0' } }, t);
    const settings = { PORT: proxy.port, HOST: '0.0.0.0' };
    const alive = await runFlowProxy({ settings, args: ['healthcheck'] });
    assert.equal(alive.code, 0, alive.stderr);
    assert.match(alive.stdout, new RegExp(`^127\\.0\\.0\\.1:${proxy.port} /healthz 200 `));
    const ready = await runFlowProxy({ settings, args: ['healthcheck', '--ready'] });
    assert.equal(ready.code, 0, ready.stderr);
    assert.match(ready.stdout, /\/readyz 200 .*"ready":true/);
  });

  test('says yes over TLS, whatever name the certificate is for', async (t) => {
    const { proxy: first } = await startStack({}, t);
    const { certificate, key } = makeCertificate();
    const files = { TLS_CERT_FILE: join(first.folder, 'c.pem'), TLS_KEY_FILE: join(first.folder, 'k.pem') };
    await writeFile(files.TLS_CERT_FILE, certificate);
    await writeFile(files.TLS_KEY_FILE, key, { mode: 0o600 });
    const { proxy } = await startStack({ settings: files }, t);
    const { code, stdout, stderr } = await runFlowProxy({
      settings: { ...files, PORT: proxy.port },
      args: ['healthcheck'],
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /healthz 200/);
  });

  test('says no when a service that cannot serve is asked whether it can; one that is throttled can', async (t) => {
    const { proxy, upstream } = await startStack(
      { credentials: 1, settings: { NUM_WORKERS: 1, THROTTLE_WAIT: 0 } },
      t,
    );
    const ask = (...args: string[]): Promise<CommandResult> =>
      runFlowProxy({ settings: { PORT: proxy.port }, args: ['healthcheck', ...args] });
    const headers = { 'retry-after': '600' };
    upstream.setFaults([{ fault: { type: 'status', status: 429, headers } }]);
    assert.equal((await fetch(`${proxy.url}/v1/models`)).status, 429);
    const throttled = await ask('--ready');
    assert.deepEqual([throttled.code, throttled.stdout.includes('"status":"degraded"')], [0, true]);
    const disabled = await runFlowProxy({
      settings: { CONTROL_SOCKET: join(proxy.folder, 'control.sock') },
      args: ['credential', 'disable', 'credential-1', '--force'],
    });
    assert.equal(disabled.code, 0, disabled.stderr);
    const unavailable = await eventually('its workers to hear of it', async () => {
      const answer = await ask('--ready');
      return answer.code === 0 ? undefined : answer;
    });
    assert.match(unavailable.stdout, /\/readyz 503 .*"ready":false,"status":"unavailable"/);
    assert.equal((await ask()).code, 0);
  });

  test('says no, with the reason, when nothing listens, nothing answers, or the port is not known', async (t) => {
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const port = portOf(mute);
    const silent = await runFlowProxy({ settings: { PORT: port }, args: ['healthcheck'] });
    assert.deepEqual([silent.code, /none within \d+ ms/.test(silent.stderr)], [1, true], silent.stderr);
    mute.close();
    t.after(() => mute.close());
    const refused = await runFlowProxy({ settings: { PORT: port }, args: ['healthcheck'] });
    assert.deepEqual([refused.code, /ECONNREFUSED/.test(refused.stderr)], [1, true], refused.stderr);
    const unknown = await runFlowProxy({ settings: { PORT: 0 }, args: ['healthcheck'] });
    assert.deepEqual([unknown.code, /FLOW_PROXY_PORT/.test(unknown.stderr)], [1, true], unknown.stderr);
  });
});
