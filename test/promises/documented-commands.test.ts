// Every shell command that README and docs print runs: here, against a running stack, or by the test that is named. A
// new one runs here, too, unless it is put on the list.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { generateCredentials } from '../../ops/simulated-upstream/server.ts';
import { blocksOf, type CommandBlock, documentedBlocks } from '../harness/documented-commands.ts';
import { MAIN } from '../harness/flow-process.ts';
import { call } from '../harness/http-call.ts';
import { root } from '../harness/root.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const run = promisify(execFile);
const BLOCK_MS = 60_000;
/** Credentials that documents name. */
const NAMES = ['team-a', 'team-b', 'team-c'];

/** What cannot run here, why, and which test runs it instead. */
const ELSEWHERE: readonly { readonly pattern: RegExp; readonly why: string; readonly where: string }[] = [
  { pattern: /^npm install|npm test\b/, why: 'is what runs this', where: '.ci/run' },
  { pattern: /npm run demo/, why: 'serves until Ctrl-C', where: 'test/promises/demo.test.ts' },
  { pattern: /^npm start/, why: 'serves until Ctrl-C', where: 'test/promises/supervisor.test.ts' },
  { pattern: /flow-proxy top/, why: 'needs a terminal', where: 'test/supervision/live-status.test.ts' },
  { pattern: /npm run load/, why: 'needs the checkout that it builds', where: 'test/ops/load.test.ts' },
  { pattern: /logrotate/, why: 'rotates files of the system', where: 'test/rig/logrotate.rig.ts' },
  { pattern: /rsyslog/, why: 'changes a service of the system', where: 'test/rig/rsyslog.rig.ts' },
  {
    pattern: /upgrade\.sh|rollback\.sh|flow-proxy (backup|restore)/,
    why: 'changes an installation',
    where: 'test/rig/upgrade.rig.ts',
  },
  {
    pattern: /sudo -u flow-proxy/,
    why: 'needs the user of an installation',
    where: 'test/rig/systemd-failures.rig.ts',
  },
  {
    pattern: /systemctl|install\.sh|\/etc\/flow-proxy|journalctl .*(-f|-n)\b/,
    why: 'needs systemd and an installation',
    where: 'test/rig/systemd.rig.ts',
  },
  {
    pattern: /\bdocker(-compose)? |COMPOSE_FILE|chown 1000/,
    why: 'needs containers',
    where: 'test/rig/containers.rig.ts',
  },
  {
    pattern: /^kubectl /,
    why: 'needs a cluster; what it applies is rendered, and played by podman',
    where: 'test/rig/kubernetes.rig.ts',
  },
];

/** Programs that documents call by name, as they are on a reader's machine. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'flow-proxy': `exec "${MAIN}" "$@"`,
  npx: 'exec "$@"',
  // An error status fails, and the progress meter is no help.
  curl: 'exec /usr/bin/curl -sS --fail-with-body -m 20 "$@"',
  claude: 'exec curl "$ANTHROPIC_BASE_URL/v1/models" -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN"',
  'your-program': 'exec curl "$OPENAI_BASE_URL/models" -H "authorization: Bearer $OPENAI_API_KEY"',
  journalctl: 'exec cat app.log',
};

const blocks = documentedBlocks();
const isElsewhere = (command: string): boolean => ELSEWHERE.some(({ pattern }) => pattern.test(command));

describe('documented commands', () => {
  let stack: Stack;
  let adminUrl: string;
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-commands-'));
  before(async () => {
    const credentials = generateCredentials(NAMES.length).map((entry, index) => ({
      ...entry,
      name: NAMES[index] ?? '',
    }));
    const settings = { NUM_WORKERS: 1, ADMIN_LISTEN: '127.0.0.1:0' };
    stack = await startStack({ credentials, settings, logToFile: true });
    adminUrl = await stack.proxy.adminUrl();
    installPrograms(join(folder, 'bin'));
    // So that there is something of each kind in the log.
    const { upstream, proxy } = stack;
    await call(`${proxy.url}/v1/models`);
    upstream.setFaults([{ times: 1, fault: { type: 'status', status: 401 } }]);
    await call(`${proxy.url}/v1/models`);
    upstream.setFaults([{ times: 1, fault: { type: 'close' } }]);
    const broken = await call(`${proxy.url}/v1/broken`, { method: 'POST', body: '{}' });
    await proxy.waitForExchange(String(broken.headers['x-request-id']));
    await proxy.waitForLog(({ msg }) => msg.includes('marked as failed'));
  });
  after(async () => {
    await stack.close();
    rmSync(folder, { recursive: true });
  });

  for (const block of blocks) {
    const here = block.commands.filter((command) => !isElsewhere(command));
    if (here.length === 0) continue;
    test(`${block.place}: ${here.length} of ${block.commands.length} run here`, () =>
      runBlock({ ...block, commands: here }));
  }

  test('every test on the list is there, and everything on the list is printed somewhere', () => {
    const commands = blocks.flatMap((block) => block.commands);
    for (const { pattern, where } of ELSEWHERE) {
      assert.ok(existsSync(root(where)), where);
      assert.ok(
        commands.some((command) => pattern.test(command)),
        `${pattern} matches nothing any more`,
      );
    }
  });

  test('a command that does not work fails, whichever of its block it is', async () => {
    for (const command of [
      'flow-proxy no-such-command',
      'no-such-program',
      'curl http://127.0.0.1:8899/../x',
    ]) {
      const [block] = blocksOf('made-up.md', `\`\`\`bash\n${command}\ntrue\n\`\`\`\n`);
      assert.ok(block);
      await assert.rejects(runBlock(block), command);
    }
  });

  /** Runs the commands in one shell, in a folder like a reader's checkout; rejects when one fails. */
  async function runBlock({ commands }: CommandBlock): Promise<void> {
    const { proxy, upstream } = stack;
    const checkout = mkdtempSync(join(folder, 'checkout-'));
    layCheckout(checkout, stack);
    const script = commands
      .join('\n')
      .replaceAll(':8899', `:${proxy.port}`)
      .replaceAll('http://127.0.0.1:8898', adminUrl)
      .replaceAll('http://flow.ciandt.com/flow-llm-proxy', upstream.url);
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: folder,
      FLOW_PROXY_PORT: String(proxy.port),
      FLOW_PROXY_CONTROL_SOCKET: join(proxy.folder, 'control.sock'),
      FLOW_PROXY_TARGET_URL: upstream.url,
      FLOW_PROXY_LOG_FILE: join(checkout, 'app.log'),
      ...(process.env['NODE_V8_COVERAGE'] === undefined
        ? {}
        : { NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] }),
    };
    await run('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: checkout, env, timeout: BLOCK_MS });
  }
});

function installPrograms(bin: string): void {
  mkdirSync(bin);
  for (const [name, script] of Object.entries(PROGRAMS)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
}

/** The files that commands name; the template is one that has been filled in already. */
function layCheckout(checkout: string, { proxy, credentials }: Stack): void {
  for (const name of ['secrets.json.template', 'secrets.json']) {
    writeFileSync(join(checkout, name), JSON.stringify(credentials), { mode: 0o600 });
  }
  copyFileSync(root('.env.example'), join(checkout, '.env.example'));
  for (const name of ['ops/env', 'ops/kubernetes'])
    cpSync(root(name), join(checkout, name), { recursive: true });
  copyFileSync(proxy.logFile ?? '', join(checkout, 'app.log'));
  writeFileSync(join(checkout, 'app.log.2.gz'), gzipSync('{"level":"INFO","msg":"Ready"}\n'));
}
