// Goes the way of a request to the upstream step by step and times each: name, connection, tunnel through the outbound
// proxy, TLS, first byte. The request carries no credential. What the outcome means is way-findings.ts's.
import { lookup } from 'node:dns/promises';
import http, { type IncomingMessage } from 'node:http';
import net, { type Socket } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { bounded } from './bounded.ts';

export interface WayOptions {
  readonly target: URL;
  /** null for a direct connection; may hold a user and a password. */
  readonly proxy: URL | null;
  /** Certificate authorities to trust for the upstream, as node:tls takes them; undefined for its own. */
  readonly ca: string[] | undefined;
  /** Of each step. */
  readonly limitMs: number;
}

export type StepName = 'dns' | 'tcp' | 'proxy tls' | 'tunnel' | 'tls' | 'first byte';

export interface Step {
  readonly name: StepName;
  readonly tookMs: number;
  /** What was reached, for people. */
  readonly detail: string;
}

/** An answer of the upstream, as far as it was read. */
export interface FirstByte {
  readonly status: number;
  /** Its Date header, epoch milliseconds; null without one. */
  readonly date: number | null;
  /** Our own clock half way between request and answer. */
  readonly clock: number;
}

export interface Walk {
  readonly steps: readonly Step[];
  /** The step that did not work, and why. */
  readonly failure: { readonly step: StepName; readonly cause: unknown } | null;
  readonly answer: FirstByte | null;
  /** When the certificate of the upstream ends, epoch milliseconds; null without TLS. */
  readonly certificateEnds: number | null;
}

/** A refusal of the outbound proxy. */
export class ProxyRefusedError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the outbound proxy answered CONNECT with ${status}`);
    this.status = status;
  }
}

/** Never rejects for what is on the way: that is in the result. */
export async function walkToUpstream(options: WayOptions): Promise<Walk> {
  const walker = new Walker(options);
  try {
    return await walker.walk();
  } finally {
    walker.close();
  }
}

class Walker {
  readonly #options: WayOptions;
  readonly #steps: Step[] = [];
  readonly #sockets: Socket[] = [];
  #current: StepName = 'dns';
  #certificateEnds: number | null = null;

  constructor(options: WayOptions) {
    this.#options = options;
  }

  async walk(): Promise<Walk> {
    try {
      const answer = await this.#reach();
      return { steps: this.#steps, failure: null, answer, certificateEnds: this.#certificateEnds };
    } catch (cause) {
      const failure = { step: this.#current, cause };
      return { steps: this.#steps, failure, answer: null, certificateEnds: this.#certificateEnds };
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #reach(): Promise<FirstByte> {
    const { target, proxy } = this.#options;
    let socket = await this.#connect(proxy ?? target);
    if (proxy !== null) {
      if (proxy.protocol === 'https:') socket = await this.#secure('proxy tls', socket, proxy, undefined);
      socket = await this.#tunnel(socket, proxy);
    }
    if (target.protocol === 'https:') socket = await this.#secure('tls', socket, target, this.#options.ca);
    return this.#ask(socket);
  }

  async #connect(peer: URL): Promise<Socket> {
    const host = bareHost(peer);
    const addresses = await this.#timed(
      'dns',
      lookup(host, { all: true }),
      (found) => `${host} is ${found.map(({ address }) => address).join(', ')}`,
    );
    const socket = net.connect({
      host,
      port: portOf(peer),
      autoSelectFamily: true,
      lookup: (_host, _options, onFound) => onFound(null, addresses),
    });
    this.#sockets.push(socket);
    await this.#timed(
      'tcp',
      once(socket, 'connect'),
      () => `${socket.remoteAddress} port ${socket.remotePort}`,
    );
    return socket;
  }

  async #secure(
    step: 'proxy tls' | 'tls',
    socket: Socket,
    peer: URL,
    ca: string[] | undefined,
  ): Promise<TLSSocket> {
    const host = bareHost(peer);
    const secure = tls.connect({
      socket,
      host,
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
      ALPNProtocols: ['http/1.1'],
    });
    this.#sockets.push(secure);
    await this.#timed(
      step,
      once(secure, 'secureConnect'),
      () => `${secure.getProtocol()}, certificate trusted`,
    );
    if (step === 'tls') this.#certificateEnds = Date.parse(secure.getPeerCertificate().valid_to);
    return secure;
  }

  async #tunnel(socket: Socket, proxy: URL): Promise<Socket> {
    const authority = `${this.#options.target.hostname}:${portOf(this.#options.target)}`;
    const request = http.request({
      method: 'CONNECT',
      path: authority,
      createConnection: () => socket,
      headers: { host: authority, ...authorization(proxy) },
    });
    const answered = new Promise<Socket>((resolve, reject) => {
      request.once('error', reject);
      request.once('connect', ({ statusCode = 0 }, tunnel) => {
        if (statusCode === 200 && tunnel instanceof net.Socket) resolve(tunnel);
        else reject(new ProxyRefusedError(statusCode));
      });
    });
    request.end();
    return this.#timed('tunnel', answered, () => `through ${proxy.hostname} port ${portOf(proxy)}`);
  }

  async #ask(socket: Socket): Promise<FirstByte> {
    const { target } = this.#options;
    const path = `${target.pathname.replace(/\/$/, '')}/v1/models`;
    const begun = Date.now();
    const request = http.request({
      path,
      createConnection: () => socket,
      headers: { host: target.host, accept: 'application/json', connection: 'close' },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('error', reject);
      request.once('response', resolve);
    });
    request.end();
    const response = await this.#timed(
      'first byte',
      answered,
      ({ statusCode }) => `GET ${path}: ${statusCode}`,
    );
    response.on('error', () => {}).resume();
    const date = Date.parse(response.headers.date ?? '');
    return {
      status: response.statusCode ?? 0,
      date: Number.isNaN(date) ? null : date,
      clock: (begun + Date.now()) / 2,
    };
  }

  async #timed<T>(name: StepName, step: Promise<T>, describe: (result: T) => string): Promise<T> {
    this.#current = name;
    const begun = performance.now();
    const result = await bounded(this.#options.limitMs, step, () => this.close());
    this.#steps.push({ name, tookMs: Math.round(performance.now() - begun), detail: describe(result) });
    return result;
  }
}

function once(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    // For as long as it lives: a later error is the next step's to report.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(plain).toString('base64')}` };
}

function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
