// `flow-proxy doctor`: what an operator runs first when something is wrong.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeCertificate } from '../harness/certificate.ts';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { startConnectProxy } from '../harness/connect-proxy.ts';
import { spawnFlowProxy } from '../harness/flow-process.ts';
import type { FlowProxyOptions } from '../harness/flow-proxy.ts';
import { portOf, startDeafUpstream } from '../harness/raw-upstream.ts';
import { type Stack, startStack } from '../harness/stack.ts';

interface Line {
  readonly check: string;
  readonly verdict: string;
  readonly message: string;
  readonly fix: string | null;
  readonly tookMs?: number;
}

describe('doctor', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack.close());

  /** Runs it with the settings of a set-up that works, changed as given. */
  async function examine(
    changes: Partial<FlowProxyOptions> = {},
    flags: readonly string[] = [],
  ): Promise<CommandResult & { lines: Line[]; of(check: string): Line }> {
    const result = await runFlowProxy({
      credentials: stack.credentials,
      ...changes,
      settings: { TARGET_URL: stack.upstream.url, UPSTREAM_PROXY: 'none', PORT: 0, ...changes.settings },
      args: ['doctor', '--json', ...flags],
    });
    const report: { findings: Line[] } = JSON.parse(result.stdout);
    const of = (check: string): Line => {
      const found = report.findings.filter((line) => line.check === check);
      return found.find(({ verdict }) => verdict !== 'ok') ?? found[0] ?? assert.fail(`no line ${check}`);
    };
    return { ...result, lines: report.findings, of };
  }

  test('looks at everything, in lines for people; exit 0 when nothing fails', async () => {
    const settings = { TARGET_URL: stack.upstream.url, UPSTREAM_PROXY: 'none', PORT: 0 };
    const { code, stdout } = await runFlowProxy({
      credentials: stack.credentials,
      settings,
      args: ['doctor'],
    });
    assert.equal(code, 0, stdout);
    const looked = ['node', 'settings', 'secrets', 'port', 'open files', 'somaxconn', 'local ports', 'log'];
    for (const check of [...looked, 'disk', 'dns', 'tcp', 'first byte', 'clock', 'credentials', 'systemd'])
      assert.match(stdout, new RegExp(`^(ok  |warn) ${check} `, 'm'));
    assert.match(stdout, /^ok {3}first byte .*GET \/flow-llm-proxy\/v1\/models: 401 \(\d+ ms\)$/m);
    assert.match(stdout, /mode 0600/);
    assert.match(stdout, / 0 to mend\n$/);
  });

  test('a port that our own running service holds is right, one that another program holds is named', async () => {
    const socket = join(stack.proxy.folder, 'control.sock');
    const own = await examine({ settings: { PORT: stack.proxy.port, CONTROL_SOCKET: socket } });
    assert.equal(own.of('port').verdict, 'ok');
    assert.match(own.of('port').message, new RegExp(`our own service: pid ${stack.proxy.pid}, version`));
    const upstreamPort = Number(new URL(stack.upstream.url).port);
    const foreign = await examine({ settings: { PORT: upstreamPort, CONTROL_SOCKET: socket } });
    assert.equal(foreign.of('port').verdict, 'fail');
    assert.match(foreign.of('port').message, new RegExp(`in use by .*, pid ${process.pid}$`));
    assert.match(foreign.of('port').fix ?? '', /FLOW_PROXY_PORT/);
    assert.equal(foreign.code, 1);
  });

  test('--live tries each credential once and tells a refused one from a throttled one', async () => {
    stack.reset();
    const [good, other] = stack.credentials;
    assert.ok(good !== undefined && other !== undefined);
    const bad = { ...other, name: 'mistyped', clientSecret: 'canary-of-a-wrong-secret' };
    const live = await examine({ credentials: [good, bad] }, ['--live']);
    assert.equal(live.of(`credential ${good.name}`).verdict, 'ok');
    assert.equal(live.of('credential mistyped').verdict, 'fail');
    assert.match(live.of('credential mistyped').message, /refused by the upstream \(401\)/);
    assert.equal(live.code, 1);
    // One without a credential for the way, then one with each.
    assert.equal(stack.upstream.requests.length, 3);
    stack.upstream.setFaults([{ fault: { type: 'status', status: 429 } }]);
    const throttled = await examine({ credentials: [good] }, ['--live']);
    stack.reset();
    assert.equal(throttled.of(`credential ${good.name}`).verdict, 'warn');
    const printed = live.stdout + live.stderr + throttled.stdout;
    for (const secret of [good.clientSecret, bad.clientSecret, 'eyJ'])
      assert.ok(!printed.includes(secret), secret);
  });

  test('goes through the outbound proxy and never prints its password', async (t) => {
    const outbound = await startConnectProxy({ user: 'me', password: 'hunter2' }, t);
    const through = (password: string) => ({
      settings: { UPSTREAM_PROXY: `http://me:${password}@127.0.0.1:${outbound.port}` },
    });
    const good = await examine(through('hunter2'), ['--live']);
    assert.equal(good.code, 0, good.stdout);
    assert.equal(good.of('tunnel').verdict, 'ok');
    assert.ok(outbound.asked.length >= 2, 'the way and the credentials go through it');
    const refused = await examine(through('wr0ng'));
    assert.match(refused.of('tunnel').message, /407/);
    assert.match(refused.of('tunnel').fix ?? '', /user and password in FLOW_PROXY_UPSTREAM_PROXY/);
    assert.equal(refused.code, 1);
    assert.doesNotMatch(good.stdout + refused.stdout + refused.stderr, /hunter2|wr0ng/);
  });

  test('times TLS, and says which setting a private certificate authority belongs in', async (t) => {
    const { certificate, key } = makeCertificate();
    const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'ca.pem'), certificate);
    const simulation = { tls: { key, cert: certificate } };
    const settings = { UPSTREAM_CA_FILE: join(folder, 'ca.pem') };
    const { upstream, credentials } = await startStack({ simulation, settings }, t);
    const trusted = await examine({ credentials, settings: { ...settings, TARGET_URL: upstream.url } }, [
      '--live',
    ]);
    assert.equal(trusted.code, 0, trusted.stdout);
    assert.match(trusted.lines.find(({ check }) => check === 'tls')?.message ?? '', /TLSv1\.3/);
    assert.equal(typeof trusted.lines.find(({ check }) => check === 'tls')?.tookMs, 'number');
    const distrusted = await examine({ credentials, settings: { TARGET_URL: upstream.url } });
    assert.equal(distrusted.of('tls').verdict, 'fail');
    assert.match(distrusted.of('tls').fix ?? '', /FLOW_PROXY_UPSTREAM_CA_FILE/);
  });

  test('an upstream that is silent holds nothing up; credentials are then not tried', async (t) => {
    const deaf = await startDeafUpstream(t);
    const settings = { TARGET_URL: deaf.url, CONNECT_TIMEOUT: 0.3 };
    const { code, of } = await examine({ settings }, ['--live']);
    assert.equal(code, 1);
    assert.deepEqual([of('first byte').verdict, of('credentials').verdict], ['fail', 'warn']);
    assert.match(of('first byte').message, /nothing within 300 ms/);
  });

  test('a clock that is far from the upstream’s is wrong', async (t) => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const server = createServer((_request, response) => response.writeHead(401, { date }).end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const { of } = await examine({ settings: { TARGET_URL: `http://127.0.0.1:${portOf(server)}` } });
    assert.equal(of('clock').verdict, 'fail');
    assert.match(of('clock').message, /^36\d\d s ahead of the upstream$/);
  });

  test('settings that cannot be used are each a failure, and the machine is looked at all the same', async () => {
    const { code, lines, of } = await examine({ settings: { PORT: 'eighty', LOG_LEVEL: 'LOUD' } });
    assert.equal(code, 1);
    const settings = lines.filter(({ check, verdict }) => check === 'settings' && verdict === 'fail');
    assert.equal(settings.length, 2);
    for (const check of ['node', 'systemd']) assert.notEqual(of(check).verdict, 'fail');
  });

  test('secrets that others may read, or that hold placeholders, come with their fix', async (t) => {
    const { credentials } = stack;
    const open = await spawnFlowProxy({ credentials, args: ['--version'] });
    t.after(() => open.end());
    await chmod(join(open.folder, 'secrets.json'), 0o644);
    const settings = { SECRETS_FILE: join(open.folder, 'secrets.json') };
    const readable = await examine({ settings });
    assert.deepEqual([readable.code, readable.of('secrets').verdict], [0, 'warn']);
    assert.match(readable.of('secrets').fix ?? '', /chmod 600/);
    const template = { name: 'x', clientId: 'your-client-id', clientSecret: 'c', tenant: 't' };
    const unfilled = await examine({ credentials: [template] });
    assert.equal(unfilled.of('secrets').verdict, 'fail');
    assert.match(unfilled.of('secrets').message, /clientId is still the placeholder/);
  });

  test('a log that cannot be written fails', async () => {
    const { of, code } = await examine({ settings: { LOG_FILE: '/proc/flow-proxy/app.log' } });
    assert.deepEqual([of('log').verdict, code], ['fail', 1]);
    assert.match(of('log').message, /cannot be/);
  });
});
