// What an operator changes in a running service: which credentials are used, and how much is logged.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';

describe('an operator', () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({ credentials: 2, settings: { THROTTLE_WAIT: 0 } });
  });
  after(() => stack.close());
  beforeEach(() => stack.reset());

  const run = (...args: string[]): Promise<CommandResult> =>
    runFlowProxy({ settings: { CONTROL_SOCKET: join(stack.proxy.folder, 'control.sock') }, args });

  interface Status {
    readonly credentials: readonly {
      name: string;
      available: boolean;
      disabled: boolean;
      cooldowns: readonly unknown[];
    }[];
    readonly log: { readonly level: string };
  }

  async function status(): Promise<Status> {
    return JSON.parse((await run('status', '--json')).stdout);
  }

  /** The credentials that a few requests went out with, by what the log says. */
  async function used(requests = 6): Promise<string[]> {
    const names = new Set<string>();
    for (let index = 0; index < requests; index += 1) {
      const { headers } = await call(`${stack.proxy.url}${CHAT}`, chatPost(`hello ${index}`));
      const line = await stack.proxy.waitForExchange(String(headers['x-request-id']));
      names.add(String(line['credential']));
    }
    return [...names].sort();
  }

  /** A change is published to every worker within a turn of the loop; a request right after it may be ahead of it. */
  async function usedFromNowOn(expected: readonly string[]): Promise<void> {
    await eventually(`${expected.join()} alone being used`, async () =>
      (await used()).join() === expected.join() ? true : undefined,
    );
  }

  test('takes a credential out: no new request uses it, status says so, and a reload leaves it out', async () => {
    const { code, stdout } = await run('credential', 'disable', 'credential-1');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /credential-1 is disabled.*survives a reload, not a restart/);
    await usedFromNowOn(['credential-2']);
    assert.match((await run('status')).stdout, /credential-1: DISABLED/);
    assert.equal((await run('reload', '--wait')).code, 0);
    assert.deepEqual(await used(), ['credential-2']);
    const { credentials } = await status();
    assert.deepEqual(
      credentials.map(({ name, available, disabled }) => [name, available, disabled]),
      [
        ['credential-1', false, true],
        ['credential-2', true, false],
      ],
    );
    await stack.proxy.waitForLog(({ msg }) => msg === "Configuration 'credential-1' disabled by an operator");
  });

  test('is warned before the last one goes, and may force it; enabling serves again', async () => {
    const refused = await run('credential', 'disable', 'credential-2');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /no other credential is available.*every request is refused/);
    assert.match(refused.stderr, /--force/);
    assert.deepEqual(await used(2), ['credential-2']);
    const forced = await run('credential', 'disable', 'credential-2', '--force');
    assert.equal(forced.code, 0);
    assert.match(forced.stdout, /WARNING: no other credential is available/);
    await eventually('refusal', async () =>
      (await call(`${stack.proxy.url}${CHAT}`, chatPost('x'))).status === 503 ? true : undefined,
    );
    assert.equal((await call(`${stack.proxy.url}/readyz`)).status, 503);
    for (const name of ['credential-1', 'credential-2']) {
      assert.equal((await run('credential', 'enable', name)).code, 0);
    }
    await usedFromNowOn(['credential-1', 'credential-2']);
  });

  test('forgets a cooldown, and the credential is used again at once', async () => {
    const headers = { 'retry-after': '600' };
    const fault = { type: 'status', status: 429, headers } as const;
    stack.upstream.setFaults([{ fault, credential: stack.credentials[0]?.clientId ?? '', times: 1 }]);
    await eventually('a cooldown', async () => {
      await call(`${stack.proxy.url}/v1/models`);
      const [first] = (await status()).credentials;
      return first?.cooldowns.length === 1 ? true : undefined;
    });
    stack.reset();
    assert.equal((await run('credential', 'reset', 'credential-1')).code, 0);
    await usedFromNowOn(['credential-1', 'credential-2']);
    assert.deepEqual((await status()).credentials[0]?.cooldowns, []);
  });

  test('names a credential that does not exist and hears which do', async () => {
    const { code, stderr } = await run('credential', 'enable', 'nobody');
    assert.equal(code, 1);
    assert.match(stderr, /no credential "nobody"; there are credential-1, credential-2/);
  });

  test('changes the log level in every process, also in workers that are forked later', async () => {
    assert.equal((await run('log-level', 'error')).code, 0);
    assert.equal((await status()).log.level, 'ERROR');
    const [worker = 0] = stack.proxy.workerPids();
    // Lines of what was before may still be on their way.
    const since = new Date().toISOString();
    process.kill(worker, 'SIGKILL');
    await eventually('a new worker', () => {
      const pids = stack.proxy.workerPids();
      return pids.length === 2 && !pids.includes(worker) ? true : undefined;
    });
    await eventually('its readiness', async () =>
      (await call(`${stack.proxy.url}/health`)).body.toString().includes('"ready":2') ? true : undefined,
    );
    for (let index = 0; index < 8; index += 1) await call(`${stack.proxy.url}/v1/models`);
    assert.equal((await run('log-level', 'INFO')).code, 0);
    // Connections are dealt out in turn: one for each worker, whose lines come in order.
    for (let worker = 0; worker < 2; worker += 1) {
      const { headers } = await call(`${stack.proxy.url}/v1/models`);
      await stack.proxy.waitForExchange(String(headers['x-request-id']));
    }
    const told = stack.proxy.logLines.filter(({ level, time }) => level === 'INFO' && time >= since);
    assert.equal(new Set(told.map(({ worker }) => worker)).size, 2);
    assert.equal(told.length, 2, 'only the last requests are in the log');
    const refused = await run('log-level', 'loud');
    assert.equal(refused.code, 64);
    assert.match(refused.stderr, /'loud'.*DEBUG, INFO, WARNING, ERROR/);
  });
});
