// The yardstick: http-proxy with a keep-alive agent and nothing else.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess } from '../pinned-process.ts';
import type { StartedSubject, Subject, SubjectOptions } from './subject.ts';

const SCRIPT = fileURLToPath(new URL('./bare-http-proxy-script.js', import.meta.url));

/** @param node the Node to run it with */
export function bareHttpProxy(name = 'bare http-proxy', node: string = process.execPath): Subject {
  return { name, version: version(), start: (options) => start(name, node, options) };
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('http-proxy/package.json');
  const isManifest = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return isManifest ? String(manifest.version) : 'unknown version';
}

async function start(
  name: string,
  node: string,
  { upstream, workers, place, folder, caFile }: SubjectOptions,
): Promise<StartedSubject> {
  const port = await freePort();
  const args = [SCRIPT, String(port), upstream, String(workers), ...(caFile === null ? [] : [caFile])];
  const process = await startProcess({ name: 'bare-http-proxy', command: node, args, place, folder }, port);
  return { name, url: `http://127.0.0.1:${port}`, process };
}
