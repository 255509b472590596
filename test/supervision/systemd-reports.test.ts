// What a systemd hears of a real flow-proxy, at a real socket for unix datagrams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCall, readAnswer } from '../harness/http-call.ts';
import { openNotifyReceiver } from '../harness/notify-receiver.ts';
import { startStack } from '../harness/stack.ts';

test('It is ready when its workers serve, alive while it runs, and asks for time while a stream goes on', async (t) => {
  const receiver = await openNotifyReceiver();
  const { proxy } = await startStack(
    { environment: { NOTIFY_SOCKET: receiver.path, WATCHDOG_USEC: '3000000' } },
    t,
  );
  t.after(() => receiver.close());
  await receiver.waitFor(/^READY=1$/);
  await receiver.waitFor(/^STATUS=ready: 2 of 2 workers, 3 of 3 credentials available, 0 in flight$/);
  await receiver.waitFor(/^WATCHDOG=1$/);

  const beforeReload = receiver.lines.length;
  proxy.kill('SIGHUP');
  await receiver.waitFor(/^RELOADING=1$/, beforeReload);
  await receiver.waitFor(/^READY=1$/, beforeReload);

  const content = 'chunks:6 interval:400';
  const body = JSON.stringify({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content }] });
  const response = await openCall(`${proxy.url}/v1/chat/completions`, { method: 'POST', body });
  const beforeStop = receiver.lines.length;
  proxy.kill('SIGTERM');
  await receiver.waitFor(/^STOPPING=1$/, beforeStop);
  const answer = await readAnswer(response);
  assert.match(answer.text, /data: \[DONE\]/);
  const asked = receiver.lines.slice(beforeStop).filter((line) => line.startsWith('EXTEND_TIMEOUT_USEC='));
  assert.ok(asked.length >= 2, `asked for time ${asked.length} times`);
  assert.deepEqual(await proxy.exited, { code: 0, signal: null });
});

test('A socket that nobody listens at is worth one line, and serving goes on', async (t) => {
  const { proxy } = await startStack({ environment: { NOTIFY_SOCKET: '/nowhere/notify' } }, t);
  await proxy.waitForLog(({ msg }) => msg.startsWith('systemd cannot be told how the service is:'));
  const answer = await readAnswer(await openCall(`${proxy.url}/v1/models`));
  assert.equal(answer.status, 200);
});
