// The log folder that flow-proxy rolls itself.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { eventually } from '../harness/eventually.ts';
import { call } from '../harness/http-call.ts';
import { startStack } from '../harness/stack.ts';

const NAME = /^app\.\d{4}-\d\d-\d\d\.(\d+)\.log(\.gz)?$/;

function logFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'flow-proxy-rolling-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Number and whether it is compressed, of every file in the folder; other names are a failure. */
function filesOf(folder: string): { number: number; isCompressed: boolean }[] {
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.gz.tmp'))
    .map((name) => {
      const [, number, compressed] = NAME.exec(name) ?? assert.fail(`unexpected file ${name}`);
      return { number: Number(number), isCompressed: compressed !== undefined };
    });
}

/** The request id of every line of an exchange, in all files. */
function requestIds(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => NAME.test(name))
    .flatMap((name) => {
      const bytes = readFileSync(join(folder, name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n');
    })
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).requestId)
    .filter((id) => id !== undefined);
}

/** Sends requests and gives their ids. */
async function exchanges(url: string, count: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => call(`${url}/v1/models`)));
  return answers.map(({ headers }) => String(headers['x-request-id']));
}

test('rolled files are compressed, and the oldest go when all are too many bytes together', async (t) => {
  const folder = logFolder(t);
  const settings = { LOG_DIR: folder, LOG_ROLL_SIZE_MB: 0.02, LOG_MAX_SIZE_MB: 0.03 };
  const { proxy } = await startStack({ settings }, t);
  await eventually(
    'rolling, compressing and deleting',
    async () => {
      await exchanges(proxy.url, 20);
      const files = filesOf(folder);
      const numbers = files.map(({ number }) => number);
      return Math.min(...numbers) > 1 && files.some(({ isCompressed }) => isCompressed) ? true : undefined;
    },
    30_000,
  );
  await eventually('the end of compressing', () =>
    filesOf(folder).filter(({ isCompressed }) => !isCompressed).length === 1 ? true : undefined,
  );
  assert.ok(requestIds(folder).length > 0, 'what was compressed can be read');
});

test('no line is lost or repeated by rolls, reloads and restarts, and a plain file of that name stays alone', async (t) => {
  const folder = logFolder(t);
  const plain = join(folder, 'app.log');
  writeFileSync(plain, 'of logrotate\n');
  const settings = { LOG_DIR: folder, LOG_ROLL_SIZE_MB: 0.02, LOG_MAX_SIZE_MB: 10 };
  const ids: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    const { proxy } = await startStack({ settings }, t);
    for (let round = 0; round < 6; round += 1) {
      ids.push(...(await exchanges(proxy.url, 30)));
      proxy.kill('SIGHUP');
    }
    assert.equal(await proxy.stop(), 0);
  }
  assert.equal(readFileSync(plain, 'utf8'), 'of logrotate\n');
  rmSync(plain);
  assert.ok(filesOf(folder).length > 4, 'it was rolled');
  assert.deepEqual(requestIds(folder).sort(), ids.sort());
});
