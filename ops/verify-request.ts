// Sends the running service one real request, through to the upstream, and says whether it was answered, and by which
// version. For upgrade.sh and rollback.sh: node dist/ops/verify-request.js --help
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const USAGE = `Usage: node dist/ops/verify-request.js --status FILE [options]

  --status FILE            what flow-proxy status --json printed: says where the service listens
  --version VERSION        the version that has to serve
  --path PATH              what is asked for (default /v1/models)
  --client-key-file FILE   client key to ask with
  --within SECONDS         how long to try (default 15)
`;
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
const TRY_EVERY_MS = 250;

const { values } = parseArgs({
  options: {
    status: { type: 'string' },
    version: { type: 'string' },
    path: { type: 'string', default: '/v1/models' },
    'client-key-file': { type: 'string' },
    within: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.status === undefined) {
  process.stderr.write(USAGE);
  process.exit(values.help ? 0 : 64);
}
const base = addressOf(JSON.parse(readFileSync(values.status, 'utf8')));
const keyFile = values['client-key-file'];
const headers =
  keyFile === undefined ? {} : { authorization: `Bearer ${readFileSync(keyFile, 'utf8').trim()}` };
process.exit(await verify());

async function verify(): Promise<number> {
  const deadline = performance.now() + Number(values.within) * 1_000;
  for (;;) {
    const problem = await problemOf();
    if (problem === null) return 0;
    if (performance.now() > deadline) {
      process.stderr.write(`verify: ${base}${values.path}: ${problem}\n`);
      return 1;
    }
    await pause(TRY_EVERY_MS);
  }
}

/** null when all is well. */
async function problemOf(): Promise<string | null> {
  try {
    if (values.version !== undefined) {
      const { version } = JSON.parse((await ask('/health')).text);
      if (version !== values.version) return `version ${version} serves, not ${values.version}`;
    }
    const { status, text } = await ask(values.path);
    return status === 200 ? null : `answered with ${status}: ${text.slice(0, 300)}`;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function ask(path: string): Promise<{ status: number; text: string }> {
  const url = `${base}${path}`;
  const options = { headers, agent: false, timeout: 30_000 };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // The certificate is for the name that clients use.
    const request = url.startsWith('https:')
      ? https.get(url, { ...options, rejectUnauthorized: false }, resolve)
      : http.get(url, options, resolve);
    request.once('error', reject).once('timeout', () => request.destroy(new Error('no answer within 30 s')));
  });
  const text = (await response.setEncoding('utf8').toArray()).join('');
  return { status: response.statusCode ?? 0, text };
}

function addressOf(status: { listen: { host: string; port: number; isSecure: boolean } }): string {
  const { host, port, isSecure } = status.listen;
  const address = ANY_ADDRESS[host] ?? host;
  return `${isSecure ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
