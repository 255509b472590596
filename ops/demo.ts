// `npm run demo`: a simulated Flow LLM Proxy with generated credentials, flow-proxy in front of it, and curl lines to
// paste. Reads no configuration of yours, writes only below a temporary folder, and takes everything along on Ctrl-C.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateCredentials, startSimulatedUpstream } from './simulated-upstream/server.ts';

const CLI = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const GUARD = new URL('./demo-guard.js', import.meta.url).href;
const USUAL_PORT = 8899;
const START_MS = 15_000;
const STOP_MS = 10_000;
const LOOK_EVERY_MS = 500;

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
endWithNpm();
process.exitCode = await demonstrate();

/** npm passes signals on, but for the one that it cannot see itself. */
function endWithNpm(): void {
  if (process.env['npm_lifecycle_event'] !== 'demo') return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) ending.abort();
  }, LOOK_EVERY_MS).unref();
}

async function demonstrate(): Promise<number> {
  const credentials = generateCredentials(3).map((entry, index) => ({ ...entry, name: `demo-${index + 1}` }));
  const upstream = await startSimulatedUpstream({ credentials, chunkIntervalMs: 200 });
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-demo-'));
  try {
    const secretsFile = join(folder, 'secrets.json');
    await writeFile(secretsFile, JSON.stringify(credentials), { mode: 0o600 });
    const port = await choosePort();
    const proxy = startProxy(folder, secretsFile, upstream.url, port);
    try {
      return await present(proxy, upstream.url, `http://127.0.0.1:${port}`);
    } finally {
      await stop(proxy);
    }
  } finally {
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * In a session of its own, so that a terminal's Ctrl-C reaches only this process, which then ends it in order. Its
 * standard input is a pipe that closes with this process however that ends: see demo-guard.ts.
 */
function startProxy(folder: string, secretsFile: string, upstreamUrl: string, port: number): ChildProcess {
  const { PATH = '', HOME = '', NO_COLOR } = process.env;
  return spawn(process.execPath, ['--import', GUARD, CLI], {
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'inherit', 'inherit'],
    env: {
      PATH,
      HOME,
      ...(NO_COLOR === undefined ? {} : { NO_COLOR }),
      FLOW_PROXY_TARGET_URL: upstreamUrl,
      FLOW_PROXY_SECRETS_FILE: secretsFile,
      FLOW_PROXY_PORT: String(port),
      FLOW_PROXY_ADMIN_LISTEN: '127.0.0.1:0',
      FLOW_PROXY_UPSTREAM_PROXY: 'none',
      FLOW_PROXY_NUM_WORKERS: '2',
      FLOW_PROXY_DRAIN_TIMEOUT: '2',
    },
  });
}

async function present(proxy: ChildProcess, upstreamUrl: string, address: string): Promise<number> {
  const exited = once(proxy, 'exit');
  const isUp = await Promise.race([waitUntilReady(address), exited.then(() => false)]);
  if (!isUp) {
    if (ending.signal.aborted) return 0;
    console.error('flow-proxy did not start; what it printed above says why.');
    return 1;
  }
  if (!ending.signal.aborted) console.log(instructions(upstreamUrl, address));
  await Promise.race([exited, aborted()]);
  return ending.signal.aborted ? 0 : 1;
}

async function waitUntilReady(address: string): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && !ending.signal.aborted) {
    const answer = await fetch(`${address}/readyz`).catch(() => undefined);
    if (answer?.ok) return true;
    await pause(50);
  }
  return false;
}

function aborted(): Promise<void> {
  return new Promise((resolve) => {
    if (ending.signal.aborted) resolve();
    else ending.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function stop(proxy: ChildProcess): Promise<void> {
  if (proxy.exitCode !== null || proxy.signalCode !== null) return;
  const exited = once(proxy, 'exit');
  proxy.kill('SIGTERM');
  const timer = setTimeout(() => proxy.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** The usual port when nobody has it, else any free one. */
async function choosePort(): Promise<number> {
  return (await tryPort(USUAL_PORT)) ?? (await tryPort(0)) ?? USUAL_PORT;
}

async function tryPort(port: number): Promise<number | undefined> {
  const server = net.createServer();
  const opened = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!opened) return undefined;
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' ? address?.port : undefined;
}

function instructions(upstreamUrl: string, address: string): string {
  const json = `-H 'content-type: application/json'`;
  const chat = (stream: string): string =>
    `{"model":"gpt-4o-mini"${stream},"messages":[{"role":"user","content":"Hello"}]}`;
  const message = `{"model":"claude-4-5-sonnet","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"Hello"}]}`;
  return `
flow-proxy is up at ${address}
This is a demonstration: behind it stands a SIMULATED Flow LLM Proxy (${upstreamUrl}),
with made-up credentials and canned answers. No real model, no real configuration.

Try, in another terminal:

  curl ${address}/v1/models
  curl ${address}/v1/chat/completions ${json} -d '${chat('')}'
  curl -N ${address}/v1/chat/completions ${json} -d '${chat(',"stream":true')}'
  curl -N ${address}/v1/messages ${json} -d '${message}'
  curl ${address}/health

Ctrl-C ends everything.
`;
}
