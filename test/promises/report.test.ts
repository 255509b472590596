// flow-proxy report on log files: what the guide's shell lines count, and more.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { MAIN } from '../harness/flow-process.ts';
import { call, jsonPost } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';
import { eventLine, exchangeLine } from '../src/report/log-text.ts';

function folderOf(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-report-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

function report(
  folder: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  input = '',
) {
  const { PATH = '' } = process.env;
  const options = { cwd: folder, encoding: 'utf8', env: { PATH, ...settings }, input } as const;
  return spawnSync(process.execPath, [MAIN, 'report', ...args], options);
}

test('it counts what the guide’s shell lines count on the log of a real service', async (t) => {
  const { upstream, proxy } = await startStack({ logToFile: true }, t);
  for (let i = 0; i < 6; i += 1) await call(`${proxy.url}/v1/models`);
  const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
  await call(`${proxy.url}/v1/chat/completions`, jsonPost(chat));
  upstream.setFaults([{ fault: { type: 'status', status: 500 } }]);
  await call(`${proxy.url}/v1/models`);
  const last = await call(`${proxy.url}/health`, { method: 'POST' });
  await proxy.waitForExchange(String(last.headers['x-request-id']));
  assert.equal(await proxy.stop(), 0);
  const sh = (script: string): string =>
    execFileSync('bash', ['-c', `${script}; true`], { cwd: proxy.folder, encoding: 'utf8' }).trim();
  const told = JSON.parse(report(proxy.folder, ['--json', String(proxy.logFile)]).stdout);
  assert.equal(told.lines, Number(sh('wc -l < flow_proxy_plugin.log')));
  assert.equal(told.exchanges, Number(sh('grep -c "Request processed" flow_proxy_plugin.log')));
  assert.equal(told.succeeded, Number(sh('grep -c successfully flow_proxy_plugin.log')));
  assert.equal(told.errorLines, Number(sh('grep -c ERROR flow_proxy_plugin.log')));
  const usage = `grep "Using configuration" flow_proxy_plugin.log | awk -F"'" '{print $2}' | sort | uniq -c`;
  const byName = new Map(
    told.credentials.map((row: { name: string; exchanges: number }) => [row.name, row.exchanges]),
  );
  for (const line of sh(usage).split('\n')) {
    const [count, name = ''] = line.trim().split(' ');
    assert.equal(byName.get(name), Number(count), name);
  }
  assert.deepEqual(told.failures, [{ reason: 'status 500', count: 1 }]);
  assert.equal(told.answeredLocally, 1);
  const [{ name, exchanges, tokensIn, tokensOut }] = told.models;
  assert.deepEqual([name, exchanges], ['gpt-4o', 1]);
  assert.ok(tokensIn > 0 && tokensOut > 0, 'tokens of the answer');
});

test('it reads several files at once, plain and gzipped whatever their names; broken lines are counted', (t) => {
  const folder = folderOf(t, {
    'app.log': `${exchangeLine({ tokensIn: 5, tokensOut: 6 })}half a li\n${eventLine('ERROR', 'x')}`,
    'app.log.2.gz': gzipSync(exchangeLine({ credential: 'two' }).repeat(3)),
    'in-two-members': Buffer.concat([gzipSync(exchangeLine()), gzipSync(exchangeLine())]),
    empty: '',
  });
  const { status, stdout } = report(folder, ['--json', 'app.log', 'app.log.2.gz', 'in-two-members', 'empty']);
  assert.equal(status, 0);
  const { files, lines, brokenLines, exchanges, successRate, errorRate, credentials } = JSON.parse(stdout);
  assert.deepEqual([files, lines, brokenLines, exchanges], [4, 8, 1, 6]);
  assert.deepEqual([successRate, errorRate], [100, 12.5]);
  assert.deepEqual(
    credentials.map(({ name, share }: { name: string; share: number }) => [name, share]),
    [
      ['one', 50],
      ['two', 50],
    ],
  );
  const text = report(folder, ['app.log']).stdout;
  for (const words of [/success rate +100\.0 %/, /By credential/, /Slowest/, /1 broken/])
    assert.match(text, words);
});

test('without a name it takes the log files of the settings, rotated ones too, and --since leaves out the old', (t) => {
  const line = (daysAgo: number): string =>
    exchangeLine({ time: new Date(Date.now() - daysAgo * 86_400_000).toISOString() });
  const folder = folderOf(t, {
    'app.log': line(0) + line(2),
    'app.log.1': line(0),
    'app.log-20261101.gz': gzipSync(line(20)),
    'app.log.bak': 'not a log',
    'other.log': line(0),
    'app.2026-11-24.1.log': line(0),
    'app.2026-11-01.1.log.gz': gzipSync(line(20)),
  });
  const old = new Date(Date.now() - 20 * 86_400_000);
  for (const name of ['app.log-20261101.gz', 'app.2026-11-01.1.log.gz'])
    utimesSync(join(folder, name), old, old);
  const count = (args: readonly string[], settings: Readonly<Record<string, string>>): number[] => {
    const { files, exchanges } = JSON.parse(report(folder, ['--json', ...args], settings).stdout);
    return [files, exchanges];
  };
  assert.deepEqual(count([], { FLOW_PROXY_LOG_FILE: 'app.log' }), [3, 4]);
  assert.deepEqual(count(['--since', '1d'], { FLOW_PROXY_LOG_FILE: 'app.log' }), [2, 2]);
  assert.deepEqual(count([], { FLOW_PROXY_LOG_DIR: '.' }), [2, 2]);
  assert.deepEqual(count(['--since', '1d'], { FLOW_PROXY_LOG_DIR: '.' }), [1, 1]);
});

test('it reads standard input, as of the journal or a container, beside files', (t) => {
  const folder = folderOf(t, { 'app.log': exchangeLine() });
  const lines = exchangeLine({ credential: 'zwei ü' }).repeat(2);
  const { stdout } = report(folder, ['--json', '-', 'app.log'], {}, lines);
  const { files, bytes, lines: count, exchanges, credentials } = JSON.parse(stdout);
  assert.deepEqual([files, count, exchanges, credentials[0].name], [2, 3, 3, 'zwei ü']);
  assert.equal(bytes, Buffer.byteLength(lines + exchangeLine()));
});

test('it names no success rate for a log that has only what went wrong', (t) => {
  const failed = exchangeLine({ level: 'WARNING', outcome: 'failed', status: 404 });
  const folder = folderOf(t, {
    'app.log': failed.repeat(3),
    'info.log': eventLine('INFO', 'Ready') + failed,
  });
  const told = JSON.parse(report(folder, ['--json', 'app.log']).stdout);
  assert.deepEqual([told.exchanges, told.failed, told.successRate], [3, 3, null]);
  assert.equal(told.credentials[0].successRate, null);
  const text = report(folder, ['app.log']).stdout;
  assert.match(text, /success rate +not in this log: exchanges that succeed are INFO/);
  assert.match(text, /failed +- \(3\)/);
  assert.equal(JSON.parse(report(folder, ['--json', 'info.log']).stdout).successRate, 0);
});

test('it says what it cannot read, with exit 1, and reports on the rest', (t) => {
  const whole = gzipSync(exchangeLine().repeat(1_000));
  const folder = folderOf(t, { 'app.log': exchangeLine(), 'cut.gz': whole.subarray(0, whole.length - 20) });
  const { status, stdout, stderr } = report(folder, ['--json', 'app.log', 'missing.log', 'cut.gz', '.']);
  assert.equal(status, 1);
  assert.ok(JSON.parse(stdout).exchanges >= 1);
  for (const words of [
    /missing\.log: .*no such file/,
    /cut\.gz: unexpected end of file/,
    /\.: is not a file/,
  ]) {
    assert.match(stderr, words);
  }
});

test('a --since that means nothing is a usage error, no log file at all one of configuration', (t) => {
  const folder = folderOf(t, {});
  const since = report(folder, ['--since', 'yesterday', 'app.log']);
  assert.equal(since.status, 64);
  assert.match(since.stderr, /yesterday.*1h/s);
  const none = report(folder, []);
  assert.equal(none.status, 78);
  assert.match(none.stderr, /FLOW_PROXY_LOG_FILE/);
});
