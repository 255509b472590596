import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { ServiceState, ServiceStatus } from '../../../../src/control/status.ts';
import { openNotifySocket } from '../../../../src/supervisor/systemd/notify-socket.ts';
import { SystemdReporter } from '../../../../src/supervisor/systemd/reporter.ts';
import { type NotifyReceiver, openNotifyReceiver } from '../../../harness/notify-receiver.ts';
import { sampleStatus } from './sample-status.ts';

/** A service that a test steers. */
class SteeredService {
  readonly events = new EventEmitter<{ state: [ServiceState] }>();
  heardOfWorkersAt = 0;
  #status: ServiceStatus = sampleStatus({ state: 'starting' });

  get view(): this {
    return this;
  }

  status(): ServiceStatus {
    return this.#status;
  }

  become(state: ServiceState): void {
    this.#status = sampleStatus({ state });
    this.events.emit('state', state);
  }
}

async function report(
  t: TestContext,
  { watchdogMs = null, now = (): number => 0 }: { watchdogMs?: number | null; now?: () => number } = {},
): Promise<{ service: SteeredService; receiver: NotifyReceiver }> {
  const receiver = await openNotifyReceiver();
  const failures: Error[] = [];
  const socket = await openNotifySocket(receiver.path, (cause) => failures.push(cause));
  const service = new SteeredService();
  const reporter = new SystemdReporter({ service, socket, watchdogMs, now });
  reporter.start();
  t.after(async () => {
    reporter.stop();
    await receiver.close();
    assert.deepEqual(failures, []);
  });
  return { service, receiver };
}

test('Start, reload and stop are told in the words of sd_notify', async (t) => {
  const { service, receiver } = await report(t);
  for (const state of ['ready', 'reloading', 'ready', 'stopping'] as const) service.become(state);
  await receiver.waitFor(/^STATUS=stopping/);
  const told = receiver.lines.filter((line) => !line.startsWith('STATUS='));
  assert.deepEqual(
    told.map((line) => line.replace(/_USEC=\d+$/, '_USEC')),
    ['READY=1', 'RELOADING=1', 'MONOTONIC_USEC', 'READY=1', 'STOPPING=1', 'EXTEND_TIMEOUT_USEC'],
  );
});

test('The time of a reload is that of the clock systemd compares it with', async (t) => {
  const { service, receiver } = await report(t);
  service.become('reloading');
  const line = await receiver.waitFor(/^MONOTONIC_USEC=/);
  const elapsed = process.hrtime.bigint() / 1_000n - BigInt(line.slice('MONOTONIC_USEC='.length));
  assert.ok(elapsed >= 0n && elapsed < 60_000_000n, `${elapsed} µs ago`);
});

test('A drain that overtakes a reload ends it for systemd, which would wait for it otherwise', async (t) => {
  const { service, receiver } = await report(t);
  for (const state of ['ready', 'reloading', 'draining', 'drained'] as const) service.become(state);
  await receiver.waitFor(/^STATUS=drained/);
  assert.equal(receiver.lines.filter((line) => line === 'READY=1').length, 2);
});

test('While it stops it asks for more time again and again', async (t) => {
  const { service, receiver } = await report(t, { watchdogMs: 60 });
  service.become('stopping');
  await receiver.waitFor(/^STATUS=stopping/);
  const from = receiver.lines.length;
  await receiver.waitFor(/^EXTEND_TIMEOUT_USEC=\d+$/, from);
});

test('The watchdog gets its sign of life three times within its limit while some worker serves', async (t) => {
  const { service, receiver } = await report(t, { watchdogMs: 150 });
  service.become('ready');
  for (let sign = 0; sign < 3; sign += 1) await receiver.waitFor(/^WATCHDOG=1$/, receiver.lines.length);
});

test('No sign of life when no worker has been heard of for a minute; again as soon as one is', async (t) => {
  let now = 0;
  const { service, receiver } = await report(t, { watchdogMs: 30, now: () => now });
  service.become('ready');
  await receiver.waitFor(/^WATCHDOG=1$/);
  now = 61_000;
  // The status may be told anew now, which happens within the same ticks.
  service.become('reloading');
  await receiver.waitFor(/^STATUS=reloading/);
  const from = receiver.lines.length;
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(receiver.lines.slice(from), []);
  service.heardOfWorkersAt = 60_000;
  await receiver.waitFor(/^WATCHDOG=1$/, from);
});

test('An abstract address, which cannot be reached, is refused by a sentence', async () => {
  await assert.rejects(
    openNotifySocket('@systemd', () => {}),
    /NOTIFY_SOCKET "@systemd" is no path/,
  );
});

test('A message that cannot be sent is reported and nothing is thrown', async () => {
  const failure = new Promise<Error>((resolve) => {
    void openNotifySocket('/nowhere/notify', resolve).then((socket) => {
      socket.send('READY=1');
      setTimeout(() => socket.close(), 100);
    });
  });
  assert.match((await failure).message, /No such file/);
});
