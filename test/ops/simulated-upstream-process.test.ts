// What the simulated upstream promises as a process: its command line, its one line of output, its end.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { generateCredentials, startSimulatedUpstream } from '../../ops/simulated-upstream/server.ts';
import { makeCertificate } from '../harness/certificate.ts';
import { mintToken } from './flow-client.ts';

const main = fileURLToPath(new URL('../../ops/simulated-upstream/main.js', import.meta.url));
const [credential] = generateCredentials(1);
assert.ok(credential);

describe('the simulated upstream as a process', () => {
  let folder: string;
  let secrets: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simulated-upstream-'));
    secrets = join(folder, 'secrets.json');
    await writeFile(secrets, `// with a comment, as flow-proxy takes it\n${JSON.stringify([credential])}`);
  });
  after(() => rm(folder, { recursive: true }));

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`tells its URL, serves, and ends on ${signal} though a stream is open`, async () => {
      const child = run('--secrets', secrets, '--chunk-interval-ms', '60000');
      const { url, pid } = JSON.parse(await firstLine(child));
      assert.equal(pid, child.pid);
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/flow-llm-proxy$/);
      const stream = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await mintToken(credential)}` },
        body: JSON.stringify({ model: 'gpt-4o', stream: true, messages: [] }),
      });
      assert.equal(stream.status, 200);
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      await assert.rejects(stream.text());
    });
  }

  it('explains itself with --help', async () => {
    const child = run('--help');
    const [help, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    assert.match(help, /--chunk-interval-ms N/);
    assert.equal(code, 0);
  });

  it('refuses wrong arguments with exit code 64 and a sentence that tells which', async () => {
    const complaints: [arguments: string[], complaint: RegExp][] = [
      [[], /--secrets FILE is required/],
      [['--secrets', join(folder, 'none')], /--secrets .*none: ENOENT/],
      [['--secrets', main], /--secrets .*main\.js: secrets: not valid JSON/],
      [['--secrets', secrets, '--port', '70000'], /--port 70000: expected a whole number from 0 to 65535/],
      [['--secrets', secrets, '--tls-key', 'k'], /--tls-key and --tls-cert are needed together/],
      [['--colour'], /Unknown option '--colour'/],
    ];
    for (const [given, complaint] of complaints) {
      const child = run(...given);
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      assert.equal(code, 64);
      assert.match(said, complaint);
    }
  });
});

describe('the simulated upstream over TLS', () => {
  it('serves HTTPS, and its resets are still resets', async (t) => {
    const { certificate, key } = makeCertificate();
    const upstream = await startSimulatedUpstream({
      credentials: [credential],
      tls: { key, cert: certificate },
    });
    t.after(() => upstream.close());
    const authorization = `Bearer ${await mintToken(credential)}`;
    const get = (): ClientRequest =>
      request(`${upstream.url}/v1/models`, {
        ca: certificate,
        agent: false,
        headers: { authorization },
      }).end();
    const [response] = await once(get(), 'response');
    assert.equal(response.statusCode, 200);
    response.resume();
    upstream.setFaults([{ fault: { type: 'reset' } }]);
    await assert.rejects(once(get(), 'response'), { code: 'ECONNRESET' });
  });
});

type Child = ChildProcessByStdio<null, Readable, Readable>;

function run(...given: string[]): Child {
  return spawn(process.execPath, [main, ...given], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function firstLine(child: Child): Promise<string> {
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line');
  return line;
}
