// A load run by ApacheBench, which must be installed (Debian: apache2-utils).
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Load, Measured, Recipe } from './recipes.ts';

export async function runAb({ method, path, body }: Recipe, load: Load): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-load-'));
  try {
    const bodyFile = join(folder, 'body.json');
    if (body !== null) await writeFile(bodyFile, body);
    const posting = method === 'POST' ? ['-p', bodyFile, '-T', 'application/json'] : [];
    // -l: answers may differ in length; -k: connections are kept, as real clients do.
    const counts = ['-n', String(load.requests), '-c', String(load.concurrency)];
    const { stdout } = await promisify(execFile)('ab', [
      ...['-q', '-l', '-k', '-s', '600'],
      ...counts,
      ...posting,
      `${load.origin}${path}`,
    ]);
    return readAb(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param printed what ab prints */
export function readAb(printed: string): Measured {
  const figure = (pattern: RegExp): number => Number(pattern.exec(printed)?.[1] ?? 0);
  return {
    requestsPerSecond: figure(/^Requests per second:\s+([\d.]+)/m),
    p50Ms: figure(/^\s+50%\s+(\d+)/m),
    p99Ms: figure(/^\s+99%\s+(\d+)/m),
    failed: figure(/^Failed requests:\s+(\d+)/m) + figure(/^Non-2xx responses:\s+(\d+)/m),
  };
}
