// The log file, and the predecessor's shell lines on it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { call, jsonPost } from '../harness/http-call.ts';
import { parseLog } from '../harness/log-lines.ts';
import { startStack } from '../harness/stack.ts';

/** As the guide prints them, run in the folder of the log file. */
const GUIDE = {
  successRate: `total=$(grep "Request processed" flow_proxy_plugin.log | wc -l)
success=$(grep "successfully" flow_proxy_plugin.log | wc -l)
echo "成功率: $(($success * 100 / $total))%"`,
  usage: `grep "Using configuration" flow_proxy_plugin.log | \\
  awk -F"'" '{print $2}' | sort | uniq -c`,
  errors: 'grep -c ERROR flow_proxy_plugin.log',
  failed: 'grep -c "marked as failed" flow_proxy_plugin.log',
};

test('the shell lines of the predecessor’s guide print right numbers on our log file', async (t) => {
  const { upstream, proxy } = await startStack({ logToFile: true, settings: { NUM_WORKERS: 1 } }, t);
  const sh = (script: string): string =>
    execFileSync('bash', ['-c', `${script}; true`], { cwd: proxy.folder, encoding: 'utf8' });
  for (let i = 0; i < 6; i += 1) await call(`${proxy.url}/v1/models?it='s`);
  upstream.setFaults([{ times: 1, fault: { type: 'status', status: 401 } }]);
  await call(`${proxy.url}/v1/models`);
  upstream.setFaults([{ fault: { type: 'status', status: 500 } }]);
  await call(`${proxy.url}/v1/it's%20broken`);
  await call(`${proxy.url}/health`);
  upstream.setFaults([]);
  const last = await call(`${proxy.url}/v1/models`);
  await proxy.waitForExchange(String(last.headers['x-request-id']));
  await proxy.waitForLog(({ msg }) => msg.includes('marked as failed'));
  assert.equal(sh(GUIDE.successRate), '成功率: 88%\n');
  const used = sh(GUIDE.usage)
    .trim()
    .split('\n')
    .map((line) => line.trim().split(' '));
  assert.deepEqual(
    used.map(([, name]) => name),
    ['credential-1', 'credential-2', 'credential-3'],
  );
  assert.equal(
    used.reduce((sum, [count]) => sum + Number(count), 0),
    9,
  );
  assert.equal(sh(GUIDE.errors), '1\n');
  assert.equal(sh(GUIDE.failed), '1\n');
});

test('a client adds nothing to those numbers with the words that it chooses', async (t) => {
  const { upstream, proxy } = await startStack({ logToFile: true, settings: { NUM_WORKERS: 1 } }, t);
  const words = 'Request processed successfully ERROR marked as failed Using configuration';
  const path = '/v1/ERROR/successfully';
  const body = { model: words, messages: [] };
  upstream.setFaults([{ fault: { type: 'status', status: 404 } }]);
  await call(`${proxy.url}${path}`, jsonPost(body, { 'x-request-id': 'successfully-ERROR' }));
  const line = await proxy.waitForExchange('successfully-ERROR');
  assert.deepEqual([line['path'], line['model']], [path, words], 'it is all there for whoever parses it');
  assert.match(line.msg, /POST \/v1\/ERROR\/successfully 404/);
  const count = (word: string): number => readFileSync(String(proxy.logFile), 'utf8').split(word).length - 1;
  assert.deepEqual(
    ['Request processed', 'Using configuration', 'successfully', 'ERROR', 'marked as failed'].map(count),
    [1, 1, 0, 0, 0],
  );
});

test('beside a log file standard output has what happens to the service, and requests where that is asked for', async (t) => {
  const { upstream, proxy } = await startStack({ logToFile: true, settings: { NUM_WORKERS: 1 } }, t);
  const whole = await startStack({ logToFile: true, settings: { NUM_WORKERS: 1, LOG_STDOUT: 'all' } }, t);
  for (const each of [proxy, whole.proxy]) await call(`${each.url}/v1/models`);
  assert.equal(await proxy.stop(), 0);
  assert.equal(await whole.proxy.stop(), 0);
  assert.equal(upstream.requests.length, 1);
  const messages = ({ stdout }: { readonly stdout: string }): string[] =>
    parseLog(stdout).map(({ msg }) => msg);
  const isRequest = (msg: string): boolean => msg.startsWith('Request processed');
  assert.ok(messages(proxy).some((msg) => msg.startsWith('Ready on ')));
  assert.equal(messages(proxy).filter(isRequest).length, 0);
  assert.equal(proxy.logLines.filter(({ msg }) => isRequest(msg)).length, 1);
  assert.equal(messages(whole.proxy).filter(isRequest).length, 1);
  assert.deepEqual(parseLog(whole.proxy.stdout), whole.proxy.logLines);
});

test('a log file that is standard output itself has each line once', async (t) => {
  const settings = { NUM_WORKERS: 1, LOG_FILE: '/dev/stdout', LOG_STDOUT: 'all' };
  // Node gives its children a socket there, which nobody can open anew.
  const runBy = ['bash', '-c', 'exec "$@" > >(exec cat)', 'bash'];
  const { proxy } = await startStack({ settings, runBy }, t);
  const { headers } = await call(`${proxy.url}/v1/models`);
  await proxy.waitForExchange(String(headers['x-request-id']));
  assert.equal(await proxy.stop(), 0);
  await proxy.waitForLog(({ msg }) => msg.startsWith('flow-proxy ended'));
  const messages = proxy.logLines.map(({ msg }) => msg);
  assert.ok(messages.some((msg) => msg.startsWith('Request processed')));
  assert.deepEqual(messages, [...new Set(messages)]);
});

test('what probes ask every few seconds leaves a line when it fails, or at DEBUG', async (t) => {
  const { proxy } = await startStack({ credentials: 1, settings: { NUM_WORKERS: 1 } }, t);
  const asked = ['/healthz', '/readyz', '/health', '/'];
  const command = (...args: string[]): Promise<CommandResult> =>
    runFlowProxy({ settings: { CONTROL_SOCKET: join(proxy.folder, 'control.sock') }, args });
  const answered = async (): Promise<string[]> => {
    for (const path of asked) await call(`${proxy.url}${path}`);
    const { headers } = await call(`${proxy.url}/v1/models`);
    await proxy.waitForExchange(String(headers['x-request-id']));
    return proxy.logLines
      .filter(({ msg }) => msg.startsWith('Answered locally'))
      .map(({ level, path, status }) => `${level} ${path} ${status}`);
  };
  assert.deepEqual(await answered(), []);
  await command('credential', 'disable', 'credential-1', '--force');
  await eventually('its worker to hear of it', async () =>
    (await call(`${proxy.url}/v1/models`)).status === 503 ? true : undefined,
  );
  assert.deepEqual(await answered(), ['WARNING /readyz 503', 'WARNING /health 503']);
  await command('log-level', 'DEBUG');
  await eventually('a worker that logs at DEBUG', async () => {
    await call(`${proxy.url}/healthz`);
    const isThere = proxy.logLines.some(({ level, path }) => level === 'DEBUG' && path === '/healthz');
    return isThere ? true : undefined;
  });
});

test('a plain file is followed by name after it was moved away, and no line is lost', async (t) => {
  const { proxy } = await startStack({ logToFile: true }, t);
  const file = String(proxy.logFile);
  const ids = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(Array.from({ length: 30 }, () => call(`${proxy.url}/v1/models`)));
    for (const { headers } of answers) ids.add(String(headers['x-request-id']));
    if (round === 2) break;
    renameSync(file, `${file}.${round}`);
    proxy.kill('SIGUSR2');
    await eventually('the new file', () =>
      readdirSync(proxy.folder).includes('flow_proxy_plugin.log') ? true : undefined,
    );
  }
  const all = (): string =>
    readdirSync(proxy.folder)
      .filter((name) => name.startsWith('flow_proxy_plugin.log'))
      .map((name) => readFileSync(join(proxy.folder, name), 'utf8'))
      .join('');
  await eventually('the last line', () => ([...ids].every((id) => all().includes(id)) ? true : undefined));
  for (const line of all().trimEnd().split('\n')) JSON.parse(line);
});
