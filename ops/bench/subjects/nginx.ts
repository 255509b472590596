// nginx, as a subject and as the upstream of all subjects: one configuration each, no log, no limits in the way.
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versionOf } from '../commands.ts';
import { freePort, type Running, startProcess } from '../pinned-process.ts';
import type { StartedSubject, Subject, SubjectOptions } from './subject.ts';

export const NGINX_VERSION: string | null = versionOf('nginx', ['-v']);

export const NGINX: Subject = { name: 'nginx', version: NGINX_VERSION, start: startProxy };

/** Certificate and key, as files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Where the upstream tells how many requests it has had. */
export const COUNT_PATH = '/requests';

/** Starts the upstream: the same small JSON answer to everything. */
export async function startNginxUpstream(
  folder: string,
  answer: string,
  certificate: CertificateFiles | null,
): Promise<{ readonly port: number; readonly process: Running }> {
  const port = await freePort();
  const tls =
    certificate === null
      ? ''
      : `ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key};`;
  const server = `server { listen 127.0.0.1:${port} ${certificate === null ? '' : 'ssl'} backlog=4096; ${tls}
    default_type application/json; client_max_body_size 64m;
    location = ${COUNT_PATH} { stub_status; }
    location / { return 200 '${answer}'; } }`;
  const process = await startNginx(folder, 'upstream', 'load', 1, server, port);
  return { port, process };
}

async function startProxy({
  upstream,
  workers,
  place,
  folder,
  caFile,
}: SubjectOptions): Promise<StartedSubject> {
  const port = await freePort();
  const { host, protocol } = new URL(upstream);
  const trust =
    caFile === null
      ? ''
      : `proxy_ssl_trusted_certificate ${caFile}; proxy_ssl_verify on; proxy_ssl_name localhost;`;
  const server = `upstream behind { server ${host}; keepalive 4096; keepalive_requests 1000000000; }
    server { listen 127.0.0.1:${port} backlog=4096; client_max_body_size 64m;
    location / { proxy_pass ${protocol}//behind; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; ${trust} } }`;
  const process = await startNginx(folder, 'subject', place, workers, server, port);
  return { name: 'nginx', url: `http://127.0.0.1:${port}`, process };
}

async function startNginx(
  parent: string,
  role: string,
  place: SubjectOptions['place'],
  workers: number,
  server: string,
  port: number,
): Promise<Running> {
  const folder = await mkdtemp(join(parent, `nginx-${role}-`));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `worker_processes ${workers}; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 8192; }
     http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; client_body_buffer_size 4m;
       ${temporary.join(' ')} ${server} }`,
  );
  const args = ['-e', join(folder, 'error.log'), '-c', file];
  return startProcess({ name: `nginx-${role}`, command: 'nginx', args, place, folder }, port);
}
