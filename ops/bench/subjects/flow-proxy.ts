// flow-proxy as it ships: INFO log to a file, metrics, pool and all; only ports, target and credentials are given.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateCredentials } from '../../simulated-upstream/credentials.ts';
import { freePort, startProcess } from '../pinned-process.ts';
import type { StartedSubject, Subject, SubjectOptions } from './subject.ts';

const CLI = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
export const LOG_NAME = 'flow-proxy.log';
const READY_MS = 15_000;

/** How it differs from the usual one. */
export interface FlowProxyVariant {
  readonly name: string;
  /** The Node to run it with. */
  readonly node: string;
  readonly credentials: number;
  readonly settings: Readonly<Record<string, string>>;
}

const USUAL: FlowProxyVariant = {
  name: 'flow-proxy',
  node: process.execPath,
  credentials: 3,
  settings: {},
};

export interface StartedFlowProxy extends StartedSubject {
  readonly logFile: string;
}

export function flowProxy(variant: Partial<FlowProxyVariant> = {}): Subject<StartedFlowProxy> {
  const chosen = { ...USUAL, ...variant };
  return { name: chosen.name, version: 'this tree', start: (options) => start(chosen, options) };
}

async function start(variant: FlowProxyVariant, options: SubjectOptions): Promise<StartedFlowProxy> {
  const folder = await mkdtemp(join(options.folder, 'flow-proxy-'));
  const secretsFile = join(folder, 'secrets.json');
  await writeFile(secretsFile, JSON.stringify(generateCredentials(variant.credentials)), { mode: 0o600 });
  const port = await freePort();
  const logFile = join(folder, LOG_NAME);
  const process = await startProcess(
    {
      name: 'flow-proxy',
      command: variant.node,
      args: [CLI],
      place: options.place,
      folder,
      environment: {
        FLOW_PROXY_TARGET_URL: options.upstream,
        FLOW_PROXY_SECRETS_FILE: secretsFile,
        FLOW_PROXY_PORT: String(port),
        FLOW_PROXY_NUM_WORKERS: String(options.workers),
        FLOW_PROXY_LOG_FILE: logFile,
        FLOW_PROXY_UPSTREAM_PROXY: 'none',
        FLOW_PROXY_ADMIN_LISTEN: '127.0.0.1:0',
        ...(options.caFile === null ? {} : { FLOW_PROXY_UPSTREAM_CA_FILE: options.caFile }),
        ...variant.settings,
      },
    },
    port,
  );
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url);
  return { name: variant.name, url, process, logFile };
}

/** The primary tries the port before it has workers: that it takes a connection is not enough. */
async function waitUntilReady(url: string): Promise<void> {
  const signal = AbortSignal.timeout(READY_MS);
  for (;;) {
    const isReady = await fetch(`${url}/readyz`, { signal }).then(
      async (answer) => {
        await answer.text();
        return answer.ok;
      },
      () => false,
    );
    if (isReady) return;
    signal.throwIfAborted();
    await pause(10);
  }
}
