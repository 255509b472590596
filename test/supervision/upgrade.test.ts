// New code on disk is picked up by a reload, and code that cannot serve is not.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { reload, statusOf } from '../harness/control.ts';
import { call } from '../harness/http-call.ts';
import { Installation } from '../harness/installation.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { PostLoops } from '../harness/traffic.ts';

const WORKER = 'workers/proxy-worker.js';
const HEALTHZ = 'case "/healthz":';
const CHAT = '/v1/chat/completions';

interface BrokenVersion {
  readonly what: string;
  /** Text in the build, text in its stead. */
  readonly edits: readonly (readonly [string, string])[];
  readonly reason: RegExp;
}

const BROKEN: readonly BrokenVersion[] = [
  {
    what: 'does not load',
    edits: [['const channel = ', 'throw new Error("a broken build");\nconst channel = ']],
    reason: /^the new worker 0 cannot serve: it ended by exit code 1$/,
  },
  {
    what: 'fails its self-check',
    edits: [[HEALTHZ, `${HEALTHZ} replyBody(exchange, 500, {}); return;`]],
    reason: /^the new worker 0 cannot serve: its self-check failed: \/healthz answers 500/,
  },
  {
    what: 'never answers its self-check',
    edits: [
      [HEALTHZ, `${HEALTHZ} return;`],
      // It would be ten seconds.
      ['TIMEOUT_MS = 1e4', 'TIMEOUT_MS = 300'],
    ],
    reason: /^the new worker 0 cannot serve: its self-check failed: no answer within 0\.3 s$/,
  },
  {
    what: 'speaks another protocol than the primary',
    edits: [['const PROTOCOL = ', 'const PROTOCOL = 1000 + ']],
    reason:
      /^the new worker 0 cannot serve: .*its code is of another version, which wants the whole service restarted$/,
  },
];

describe('an upgrade', () => {
  let stack: Stack;
  let installation: Installation;
  before(async () => {
    installation = new Installation();
    stack = await startStack({ main: installation.main });
  });
  after(async () => {
    await stack.close();
    installation.remove();
  });

  const servingPids = async (): Promise<number[]> =>
    (await statusOf(stack.proxy)).workers.map(({ pid }) => pid);

  test('in place replaces every worker at the next reload', async () => {
    const earlier = stack.proxy.workerPids();
    appendFileSync(installation.file(WORKER), '// another version\n');
    assert.deepEqual((await reload(stack.proxy)).reasons, ['all workers replaced: new code on disk']);
    assert.ok((await servingPids()).every((pid) => !earlier.includes(pid)));
  });

  for (const { what, edits, reason } of BROKEN) {
    test(`to code that ${what} is refused at its first worker: the old ones go on and no request fails`, async (t) => {
      const { proxy } = stack;
      const earlier = await servingPids();
      const { generation } = await statusOf(proxy);
      const loops = new PostLoops(proxy.url, 2, CHAT);
      t.after(() => loops.stop());
      const restore = edits.map((edit) => installation.edit(...edit));
      const reply = await reload(proxy);
      for (const back of restore.toReversed()) back();
      assert.deepEqual(
        [reply.outcome, reply.message],
        ['refused', 'the reload failed, the old settings go on'],
      );
      assert.equal(reply.reasons.length, 1);
      assert.match(reply.reasons[0] ?? '', reason);
      const status = await statusOf(proxy);
      assert.deepEqual([status.lastReload?.outcome, status.generation], ['failed', generation]);
      assert.deepEqual(await servingPids(), earlier);
      await proxy.waitForLog(({ level, msg }) => level === 'ERROR' && msg.includes(String(reply.reasons[0])));
      await loops.stop();
      assert.deepEqual(loops.faults, []);
      assert.ok(loops.answered > 0);
      assert.equal((await reload(proxy)).message, 'nothing has changed; the log was reopened');
    });
  }

  test('to a version that fails half way goes back to the version before, in every slot', async () => {
    const { proxy } = stack;
    const [first, second] = await servingPids();
    const answers = async (): Promise<string> => {
      const every = [1, 2, 3, 4].map(() => call(`${proxy.url}/healthz`));
      return [...new Set((await Promise.all(every)).map(({ text }) => text.trim()))].join();
    };
    const upgradeTo = (version: string): void => {
      installation.add(version);
      installation.use(version);
      installation.edit('alive: true', `alive: ${version}`);
    };
    upgradeTo('2');
    installation.edit(
      'await checkSelf(',
      "if (slot === 1) throw new Error('half way');\n        await checkSelf(",
    );
    const reply = await reload(proxy);
    assert.deepEqual(reply.reasons, ['the new worker 1 cannot serve: its self-check failed: half way']);
    const pids = await servingPids();
    assert.ok(
      pids[0] !== first && pids[1] === second,
      'the first one was replaced twice, the second one never',
    );
    assert.equal(await answers(), '{"alive":true}');
    upgradeTo('3');
    assert.deepEqual((await reload(proxy)).reasons, ['all workers replaced: new code on disk']);
    assert.equal(await answers(), '{"alive":3}');
  });
});
