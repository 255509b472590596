// A foreground run as a person sees it: in a terminal, ended by Ctrl-C.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually, within } from '../harness/eventually.ts';
import { MAIN } from '../harness/flow-process.ts';

const CREDENTIALS = [{ name: 'one', clientId: 'id-1', clientSecret: 'canary-of-the-screen', tenant: 't' }];
const START_MS = 60_000;
const ESCAPE = '\u001b';

/** Runs the service in a pseudo-terminal (`script` of util-linux) until it is ready, then presses Ctrl-C. */
async function runInTerminal(t: TestContext, variables: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-terminal-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'secrets.json'), JSON.stringify(CREDENTIALS), { mode: 0o600 });
  const { PATH, HOME, NODE_V8_COVERAGE } = process.env;
  const terminal = spawn('script', ['--quiet', '--return', '--command', `exec ${MAIN}`, '/dev/null'], {
    cwd: folder,
    env: {
      ...{ PATH, HOME, NODE_V8_COVERAGE, SHELL: '/bin/sh' },
      ...{ FLOW_PROXY_PORT: '0', FLOW_PROXY_ADMIN_LISTEN: 'off', FLOW_PROXY_NUM_WORKERS: '1' },
      FLOW_PROXY_CONTROL_SOCKET: 'control.sock',
      ...variables,
    },
  });
  t.after(() => terminal.kill('SIGKILL'));
  let screen = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  const closed = once(terminal, 'close');
  await eventually('the start', () => (screen.includes('Ready on ') ? true : undefined), START_MS);
  terminal.stdin.write('\u0003');
  assert.deepEqual(await within('the end', START_MS, closed), [0, null], screen);
  // The terminal itself shows which key was pressed, wherever the output has got to by then.
  return screen
    .replace('^C', '')
    .split('\r\n')
    .filter((line) => line !== '');
}

test('a terminal shows the log for people, and JSON where that is asked for; Ctrl-C ends it in order', async (t) => {
  const [coloured = [], plain = [], json = []] = await Promise.all([
    runInTerminal(t, {}),
    runInTerminal(t, { NO_COLOR: '1' }),
    runInTerminal(t, { FLOW_PROXY_LOG_FORMAT: 'JSON' }),
  ]);
  assert.ok(coloured.some((line) => line.includes(ESCAPE)));
  for (const line of coloured) assert.doesNotMatch(line, /^\{/);
  assert.ok(!plain.join('').includes(ESCAPE));
  assert.ok(
    plain.some((line) => /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: Ready on http:/.test(line)),
    plain.join('\n'),
  );
  const messages = json.map((line) => JSON.parse(line).msg);
  assert.ok(messages.some((msg) => msg.startsWith('Ready on http:')));
});
