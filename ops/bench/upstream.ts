// What stands behind every subject: nginx with one fixed answer when it is installed, else the same answer by Node.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './commands.ts';
import { freePort, type Running, startProcess } from './pinned-process.ts';
import { type CertificateFiles, COUNT_PATH, NGINX_VERSION, startNginxUpstream } from './subjects/nginx.ts';

const SCRIPT = fileURLToPath(new URL('./fixed-upstream-script.js', import.meta.url));
const STREAM_SCRIPT = fileURLToPath(new URL('./stream-upstream-script.js', import.meta.url));

/** 300 bytes of JSON. */
export const ANSWER: string = JSON.stringify({ object: 'list', data: [{ id: 'x'.repeat(262) }] });

export interface Upstream {
  readonly url: string;
  /** Certificate authority of a TLS upstream. */
  readonly caFile: string | null;
  readonly process: Running;
}

/** One that counts. */
export interface CountingUpstream extends Upstream {
  /** How many requests it has had. */
  requests(): Promise<number>;
}

/** The fixed answer over plain HTTP. */
export async function startFixedUpstream(folder: string): Promise<CountingUpstream> {
  const { port, process } =
    NGINX_VERSION === null
      ? await startScript(folder, SCRIPT, [ANSWER])
      : await startNginxUpstream(folder, ANSWER, null);
  const url = `http://127.0.0.1:${port}`;
  return { url, caFile: null, process, requests: () => countAt(`${url}${COUNT_PATH}`) };
}

/** @param url of nginx's stub_status, of which the third figure is the number of requests, or of the like */
async function countAt(url: string): Promise<number> {
  const text = await (await fetch(url)).text();
  return Number(/\d+ \d+ (\d+)/.exec(text)?.[1]);
}

/** The fixed answer over TLS, with a certificate made for the occasion. */
export async function startTlsUpstream(folder: string): Promise<Upstream> {
  const certificate = await makeCertificate(folder);
  const { port, process } =
    NGINX_VERSION === null
      ? await startScript(folder, SCRIPT, [ANSWER, certificate.cert, certificate.key])
      : await startNginxUpstream(folder, ANSWER, certificate);
  return { url: `https://localhost:${port}`, caFile: certificate.cert, process };
}

/** Answers every request with an event stream. */
export async function startStreamUpstream(
  folder: string,
  events: number,
  everyMs: number,
): Promise<Upstream> {
  const { port, process } = await startScript(folder, STREAM_SCRIPT, [String(events), String(everyMs)]);
  return { url: `http://127.0.0.1:${port}`, caFile: null, process };
}

async function startScript(
  folder: string,
  script: string,
  args: readonly string[],
): Promise<{ readonly port: number; readonly process: Running }> {
  const port = await freePort();
  const spec = { name: 'upstream', command: process.execPath, place: 'load', folder } as const;
  return { port, process: await startProcess({ ...spec, args: [script, String(port), ...args] }, port) };
}

async function makeCertificate(folder: string): Promise<CertificateFiles> {
  const [cert, key, settings] = ['cert.pem', 'key.pem', 'openssl.cnf'].map((name) => join(folder, name));
  if (cert === undefined || key === undefined || settings === undefined)
    throw new Error('three names gave fewer paths');
  await writeFile(
    settings,
    '[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=localhost\n[ext]\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:TRUE\n',
  );
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await runCommand('openssl', ['req', '-x509', ...made, '-config', settings, '-keyout', key, '-out', cert]);
  return { cert, key };
}
