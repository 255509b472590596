// A secret that is planted is found nowhere.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { mintToken } from '../../src/credentials/token.ts';
import { eventually } from '../harness/eventually.ts';
import { call, chatPost } from '../harness/http-call.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { scrape } from '../harness/scrape.ts';
import { startStack } from '../harness/stack.ts';

const canary = (what: string): string => `canary-${what}-${randomBytes(12).toString('hex')}`;

for (const logToFile of [false, true]) {
  test(`neither credentials nor the client's secrets show up anywhere (log to ${logToFile ? 'a file' : 'stdout'})`, async (t) => {
    const credentials = ['a', 'b'].map((name) => ({
      name,
      clientId: `id-${name}`,
      clientSecret: canary('secret'),
      tenant: 't',
    }));
    const client = {
      bearer: canary('bearer'),
      key: canary('key'),
      cookie: canary('cookie'),
      query: canary('query'),
    };
    const { proxy, upstream } = await startStack(
      {
        credentials,
        logToFile,
        settings: { LOG_LEVEL: 'DEBUG', FIRST_BYTE_TIMEOUT: 1, ADMIN_LISTEN: '127.0.0.1:0' },
        environment: { HTTPS_PROXY: 'http://me:canary-proxy-password@127.0.0.1:1' },
      },
      t,
    );
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${client.bearer}`,
      'x-api-key': client.key,
      cookie: `session=${client.cookie}`,
    };
    const answers: string[] = [];
    const post = async (path: string): Promise<void> => {
      const { text, rawHeaders } = await call(`${proxy.url}${path}?api_key=${client.query}`, {
        ...chatPost('x'),
        headers,
      });
      answers.push(text, rawHeaders.join('\n'));
    };
    for (const fault of [
      { type: 'status', status: 500 },
      { type: 'close' },
      { type: 'garbage' },
      { type: 'stall' },
      { type: 'status', status: 401 },
    ] as const) {
      upstream.setFaults([{ fault }]);
      await post('/v1/chat/completions');
    }
    upstream.setFaults([]);
    await post('/v1/chat/completions');
    await post('/v1/../x');
    for (const raw of [
      `GET http://me:${client.bearer}@example.com/ HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nAuthorization: Bearer ${client.bearer}\r\nBroken header\r\n\r\n`,
    ]) {
      const connection = new RawConnection(connect(proxy.port, '127.0.0.1'));
      connection.write(raw);
      answers.push((await connection.readMessage()).head);
      connection.destroy();
    }
    answers.push((await call(`${proxy.url}/health`)).text);
    const admin = await proxy.adminUrl();
    const seen = await eventually('a scrape that tells of the requests', async () => {
      const one = await scrape(admin);
      return one.sum('flow_proxy_requests_total', { outcome: 'completed' }) > 1 ? one : undefined;
    });
    answers.push(seen.text, (await call(`${admin}/status.json`)).text);
    const processes = proxy.workerPids().map((pid) => {
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8');
      assert.doesNotMatch(environ, /FLOW_PROXY_|secrets\.json|canary/);
      return environ + readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    });
    await proxy.stop();
    const everything = [
      ...answers,
      ...processes,
      proxy.stdout,
      proxy.stderr,
      proxy.logFile === null ? '' : readFileSync(proxy.logFile, 'utf8'),
    ].join('\n');
    assert.match(everything, /Request processed successfully/, 'the search has something to search');
    const parts = credentials.flatMap((credential) => [
      credential.clientSecret,
      ...mintToken(credential).split('.').slice(1),
    ]);
    for (const secret of [...parts, ...Object.values(client), 'canary-proxy-password']) {
      assert.ok(!everything.includes(secret), `found ${secret}`);
      const encoded = Buffer.from(secret).toString('base64url').slice(2, -4);
      assert.ok(!everything.includes(encoded), `found ${secret} in base64`);
    }
  });
}
