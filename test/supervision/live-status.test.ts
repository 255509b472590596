// What those who watch a running service see: /status.json, the events behind /status, `flow-proxy top`.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import { MAIN } from '../harness/flow-process.ts';
import { call, chatPost, openCall } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CHAT = '/v1/chat/completions';

interface Live {
  readonly service: {
    readonly state: string;
    readonly host: { readonly processors: number; readonly memoryTotalBytes: number } | null;
    readonly workers: readonly object[];
    readonly credentials: readonly { readonly name: string; readonly disabled: boolean }[];
  };
  readonly rates: {
    readonly requestsPerSecond: number;
    readonly credentials: readonly { readonly share: number }[];
  } | null;
  readonly totals: { readonly requests: number; readonly failures: number };
  readonly failures: readonly { readonly route: string; readonly status: string; readonly count: number }[];
}

describe('a running service', () => {
  let stack: Stack;
  let admin: string;
  let socket: string;
  before(async () => {
    stack = await startStack({ credentials: 2, settings: { ADMIN_LISTEN: '127.0.0.1:0', MAX_ATTEMPTS: 1 } });
    admin = await stack.proxy.adminUrl();
    socket = join(stack.proxy.folder, 'control.sock');
  });
  after(() => stack.close());

  const status = async (): Promise<Live> => JSON.parse((await call(`${admin}/status.json`)).text);

  test('tells its traffic in rates, shares, failures and the machine, and no secret', async () => {
    const machine = await eventually(
      'the machine being measured',
      async () => (await status()).service.host ?? undefined,
    );
    assert.ok(machine.processors >= 1);
    for (let index = 0; index < 8; index += 1) await call(`${stack.proxy.url}${CHAT}`, chatPost('hello'));
    await call(`${stack.proxy.url}/healthz`);
    stack.upstream.setFaults([{ fault: { type: 'status', status: 500 } }]);
    for (let index = 0; index < 2; index += 1) await call(`${stack.proxy.url}${CHAT}`, chatPost('hello'));
    stack.reset();
    const seen = await eventually('all requests being counted', async () => {
      const now = await status();
      return now.totals.requests === 10 && now.rates !== null ? now : undefined;
    });
    assert.equal(seen.totals.failures, 2);
    assert.ok((seen.rates?.requestsPerSecond ?? 0) > 0);
    const shares = seen.rates?.credentials.map(({ share }) => share) ?? [];
    assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9, shares.join());
    assert.equal(
      seen.failures.reduce((sum, { count }) => sum + count, 0),
      2,
    );
    assert.deepEqual(
      [...new Set(seen.failures.map(({ route, status: got }) => `${route} ${got}`))],
      [`${CHAT} 5xx`],
    );
    const text = JSON.stringify(seen);
    for (const { clientSecret, clientId } of stack.credentials) {
      assert.ok(!text.includes(clientSecret) && !text.includes(clientId));
    }
  });

  test('serves one page that may load nothing and run nothing but its own script', async () => {
    const { status: code, headers, text } = await call(`${admin}/status`);
    assert.equal(code, 200);
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/,
    );
    assert.doesNotMatch(text, /(src|href)="(?!data:|\/status\.json)/, 'no asset from elsewhere');
    assert.doesNotMatch(text, / style="| on\w+="/, 'nothing that its own policy forbids');
    assert.equal((await call(`${admin}/status`, { method: 'POST' })).status, 405);
  });

  test('sends events to whoever watches, again and again, until they leave', async () => {
    const events = await openCall(`${admin}/status/events`);
    assert.equal(events.headers['content-type'], 'text/event-stream');
    const [first, second] = [await nextEvent(events), await nextEvent(events)];
    assert.equal(first.service.state, 'ready');
    assert.equal(second.service.workers.length, 2);
    events.destroy();
  });

  test('shows a disabled credential as such, also in its metrics', async () => {
    const settings = { CONTROL_SOCKET: socket };
    assert.equal((await runFlowProxy({ settings, args: ['credential', 'disable', 'credential-1'] })).code, 0);
    assert.deepEqual(
      (await status()).service.credentials.map(({ name, disabled }) => [name, disabled]),
      [
        ['credential-1', true],
        ['credential-2', false],
      ],
    );
    const { text } = await call(`${admin}/metrics`);
    assert.match(text, /^flow_proxy_credential_disabled\{credential="credential-1"\} 1$/m);
    assert.match(text, /^flow_proxy_credential_available\{credential="credential-1"\} 0$/m);
    await runFlowProxy({ settings, args: ['credential', 'enable', 'credential-1'] });
  });

  test('is watched by top in a terminal, which q or Ctrl-C gives back as it was', async () => {
    for (const key of ['q', '\u0003']) {
      const { screen, code, before: modes, after: modesAfter } = await runTop(socket, key);
      assert.equal(code, 0);
      assert.ok(screen.startsWith('\u001b[?1049h\u001b[?25l'), 'its own screen, without cursor');
      assert.ok(screen.endsWith('\u001b[?25h\u001b[?1049l'), 'the old screen, with cursor');
      assert.match(screen, /credential-2/);
      assert.match(screen, /requests /);
      assert.deepEqual(modesAfter, modes, 'echo and line mode as before');
    }
  });

  test('refuses top without a terminal, and says so when nothing runs', async () => {
    const piped = await runFlowProxy({ settings: { CONTROL_SOCKET: socket }, args: ['top'] });
    assert.deepEqual([piped.code, /needs a terminal/.test(piped.stderr)], [1, true]);
  });
});

/** The next event of an answer that goes on. */
async function nextEvent(events: IncomingMessage): Promise<Live> {
  let text = '';
  for (;;) {
    const [piece] = await once(events.setEncoding('utf8'), 'data');
    text += String(piece);
    const [, json] = /^data: (.*)\n\n/m.exec(text) ?? [];
    if (json !== undefined) return JSON.parse(json);
  }
}

interface TopRun {
  readonly screen: string;
  readonly code: number;
  readonly before: unknown;
  readonly after: unknown;
}

/** Runs top in a pseudo-terminal of 80 × 24, presses a key once it has drawn, and tells how the terminal is then. */
async function runTop(socket: string, key: string): Promise<TopRun> {
  const script = `
import fcntl, json, os, pty, struct, sys, termios, time
main, socket, key = sys.argv[2], sys.argv[3], sys.argv[4]
terminal, inside = pty.openpty()
fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
modes = lambda: termios.tcgetattr(inside)[0:4]
before = modes()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(inside, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2): os.dup2(inside, descriptor)
    os.execve(sys.argv[1], [sys.argv[1], main, 'top', '--control-socket', socket], {'PATH': os.environ['PATH'], 'TERM': 'xterm'})
screen, pressed, code = b'', False, None
os.set_blocking(terminal, False)
while code is None:
    try: screen += os.read(terminal, 65536)
    except BlockingIOError: time.sleep(0.02)
    if not pressed and b'q quits' in screen:
        os.write(terminal, key.encode()); pressed = True
    done, status = os.waitpid(pid, os.WNOHANG)
    if done: code = os.waitstatus_to_exitcode(status)
# What it wrote last may reach this side of the terminal after its end.
deadline = time.monotonic() + 10
while not screen.endswith(b'\\x1b[?1049l') and time.monotonic() < deadline:
    try: screen += os.read(terminal, 65536)
    except BlockingIOError: time.sleep(0.02)
print(json.dumps({'screen': screen.decode(), 'code': code, 'before': before, 'after': modes()}))
`;
  const args = ['-c', script, process.execPath, MAIN, socket, key];
  const { stdout } = await promisify(execFile)('python3', args, { timeout: 60_000 });
  return JSON.parse(stdout);
}
