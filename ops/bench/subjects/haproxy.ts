// HAProxy as a subject: connections to the upstream shared, no log.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versionOf } from '../commands.ts';
import { freePort, startProcess } from '../pinned-process.ts';
import type { StartedSubject, Subject, SubjectOptions } from './subject.ts';

export const HAPROXY: Subject = { name: 'HAProxy', version: versionOf('haproxy', ['-v']), start };

async function start({ upstream, workers, place, folder, caFile }: SubjectOptions): Promise<StartedSubject> {
  const port = await freePort();
  const { host } = new URL(upstream);
  const tls = caFile === null ? '' : `ssl verify required ca-file ${caFile}`;
  const own = await mkdtemp(join(folder, 'haproxy-'));
  const file = join(own, 'haproxy.cfg');
  await writeFile(
    file,
    `global
  nbthread ${workers}
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  http-reuse always
frontend front
  bind 127.0.0.1:${port}
  default_backend behind
backend behind
  server one ${host} ${tls}
`,
  );
  const process = await startProcess(
    { name: 'haproxy', command: 'haproxy', args: ['-db', '-f', file], place, folder: own },
    port,
  );
  return { name: 'HAProxy', url: `http://127.0.0.1:${port}`, process };
}
