import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { call } from '../harness/http-call.ts';
import { root } from '../harness/root.ts';
import { startStack } from '../harness/stack.ts';

const MINUTE_MS = 60_000;

interface Run {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function monitor(args: readonly string[], path = ''): Promise<Run> {
  const PATH = `${path}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn('bash', [root('ops/monitoring/monitor.sh'), ...args], { env: { PATH, LC_ALL: 'C' } });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout: stdout.trim(), stderr: stderr.trim() };
}

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-monitor-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function lines(count: number, line: object, ageMs = 0): string {
  const time = new Date(Date.now() - ageMs).toISOString();
  return `${JSON.stringify({ level: 'INFO', time, ...line })}\n`.repeat(count);
}

const errors = (count: number, ageMs?: number): string =>
  lines(count, { level: 'ERROR', msg: 'Request processed with a failure.', outcome: 'failed' }, ageMs);
const failures = (count: number): string =>
  lines(count, { level: 'WARNING', msg: "Configuration 'team-a' marked as failed until …" });
const good = (count: number): string =>
  lines(count, {
    msg: "Request processed successfully. Using configuration 'team-a'.",
    outcome: 'completed',
  });

test('The monitor is silent, with exit code 0, as long as no limit is passed', async (t) => {
  const log = join(await folderFor(t), 'app.log');
  // Somebody may write the words into a path; they count only where we say them.
  const trap = lines(500, { msg: 'Request processed: GET /ERROR', path: 'marked as failed "level":"ERROR"' });
  await writeFile(log, errors(100) + failures(1) + trap);
  assert.deepEqual(await monitor([log]), { code: 0, stdout: '', stderr: '' });
  const { stdout } = await monitor(['--nagios', log]);
  assert.equal(stdout, 'flow-proxy OK: 100 errors, 1 failed credentials, 0 MB of log');
});

test("The monitor tells by the guide's limits: errors, failed credentials, size of the log", async (t) => {
  const folder = await folderFor(t);
  const log = join(folder, 'app.log');
  await writeFile(log, errors(101));
  const tooMany = await monitor([log]);
  assert.equal(tooMany.code, 2);
  assert.equal(tooMany.stdout, 'flow-proxy CRITICAL: 101 errors in 60 minutes (limit 100)');
  await writeFile(log, failures(2));
  const failed = await monitor([log]);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^flow-proxy WARNING: credentials were marked as failed 2 times/);
  await writeFile(`${log}.1`, '');
  await truncate(`${log}.1`, 1_002 * 1024 * 1024);
  await utimes(`${log}.1`, 0, 0);
  await writeFile(log, '');
  const large = await monitor([log]);
  assert.deepEqual(
    [large.code, large.stdout],
    [1, 'flow-proxy WARNING: the log files take 1002 MB (limit 1000 MB)'],
  );
});

test('The monitor reads what has been rotated away, by logrotate or by us, compressed or not, and nothing older', async (t) => {
  const folder = await folderFor(t);
  const log = join(folder, 'app.log');
  await writeFile(log, errors(1) + errors(50, 61 * MINUTE_MS));
  await writeFile(`${log}.1`, errors(2));
  await writeFile(`${log}.2.gz`, gzipSync(errors(4)));
  await writeFile(`${log}-20261124.gz`, gzipSync(errors(8)));
  await writeFile(join(folder, 'app.2026-11-24.1.log'), errors(16));
  await writeFile(join(folder, 'app.2026-11-24.2.log.gz'), gzipSync(errors(32)));
  await writeFile(join(folder, 'other.log'), errors(1_000));
  const { stdout } = await monitor(['--errors', '0', log]);
  assert.equal(stdout, 'flow-proxy CRITICAL: 63 errors in 60 minutes (limit 0)');
  const { stdout: longer } = await monitor(['--errors', '0', '--since', '90', log]);
  assert.equal(longer, 'flow-proxy CRITICAL: 113 errors in 90 minutes (limit 0)');
});

test('The monitor knows the share of failed requests', async (t) => {
  const log = join(await folderFor(t), 'app.log');
  await writeFile(log, good(90) + errors(10) + lines(100, { outcome: 'client_left' }));
  assert.equal((await monitor(['--error-rate', '10', log])).code, 0);
  const { code, stdout } = await monitor(['--error-rate', '9.9', log]);
  assert.equal(code, 2);
  assert.equal(stdout, 'flow-proxy CRITICAL: 10.0 % of 100 requests failed in 60 minutes (limit 9.9 %)');
});

test('The monitor finds the words of a real service', async (t) => {
  const { proxy, upstream, credentials } = await startStack({ logToFile: true }, t);
  const refused = credentials[0]?.clientId ?? '';
  upstream.setFaults([
    { credential: refused, fault: { type: 'status', status: 401 } },
    { fault: { type: 'status', status: 500 } },
  ]);
  for (let sent = 0; sent < 4; sent += 1) await call(`${proxy.url}/v1/models`);
  await proxy.waitForLog(({ msg }) => msg.includes('marked as failed'));
  await proxy.stop();
  const { code, stdout } = await monitor(['--errors', '3', '--failed', '0', proxy.logFile ?? '']);
  assert.equal(code, 2, stdout);
  assert.match(stdout, /CRITICAL: 4 errors .*; credentials were marked as failed 1 times/);
});

test('The monitor also mails, and calls a webhook', async (t) => {
  const folder = await folderFor(t);
  const log = join(folder, 'app.log');
  await writeFile(log, failures(3));
  const mail = join(folder, 'mail');
  await writeFile(mail, `#!/bin/sh\n{ echo "$@"; cat; } >'${join(folder, 'sent')}'\n`);
  await chmod(mail, 0o755);
  const received: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      received.push(body);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const run = await monitor(
    ['--mail', 'ops@example.com', '--webhook', `http://127.0.0.1:${port}/`, log],
    folder,
  );
  assert.equal(run.code, 1, run.stderr);
  assert.equal(run.stderr, '');
  const sent = await readFile(join(folder, 'sent'), 'utf8');
  assert.match(sent, /^-s flow-proxy: WARNING ops@example\.com\ncredentials were marked as failed 3 times/);
  const posted: { text: string } = JSON.parse(received[0] ?? '');
  assert.match(posted.text, /^flow-proxy WARNING: credentials were marked as failed 3 times/);
});

test('The monitor says so when it cannot do its work', async (t) => {
  const folder = await folderFor(t);
  const absent = await monitor([join(folder, 'app.log')]);
  assert.equal(absent.code, 3);
  assert.match(absent.stdout, /UNKNOWN: there is no log at/);
  const log = join(folder, 'app.log');
  await writeFile(log, failures(3));
  const deaf = await monitor(['--webhook', 'http://127.0.0.1:9/', log]);
  assert.equal(deaf.code, 1);
  assert.match(deaf.stderr, /the webhook could not be called/);
  for (const args of [[], ['--errors'], ['--errors', 'many', log], ['--what', log], [log, log]]) {
    assert.equal((await monitor(args)).code, 64, args.join(' '));
  }
});
