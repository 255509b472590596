// http-proxy, the pipeline that every exchange runs through. Its quirks stay in this file: it is created with the
// exchange pass of ours in front of its own `stream` pass (which then never runs), and with its `ws` path kept.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import util from 'node:util';
import type HttpProxy from 'http-proxy';
import type { Exchange } from './exchange.ts';
import type { Target } from './target.ts';

/** Carries out one exchange; called by http-proxy's `web` pipeline. */
export type ExchangePass = (exchange: Exchange) => void;

/** What http-proxy does for us. */
export interface ProxyPipeline {
  /** Runs the `web` pipeline, which ends in the exchange pass. */
  forward(exchange: Exchange): void;
  /** Runs the `ws` pipeline for an upgrade whose headers are already those for the upstream; again for each attempt. */
  forwardUpgrade(upgrade: UpgradeAttempt): void;
}

/** One try to open a WebSocket at the upstream. */
export interface UpgradeAttempt {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What the client has sent ahead; empty when an earlier attempt has had it. */
  readonly head: Buffer;
  /** How long the upstream may take to answer. */
  readonly openTimeoutMs: number;
  /** Gives it up before it is answered. */
  readonly signal: AbortSignal;
  readonly listener: UpgradeListener;
}

/** What became of an attempt: exactly one of these is told. */
export interface UpgradeListener {
  /** It is open; what `answer.headers` holds afterwards goes to the client. */
  onOpen(answer: IncomingMessage, upstream: Duplex): void;
  /** The upstream said no. `passOn` sends that to the client, as `answer.headers` has it then. */
  onRefused(answer: IncomingMessage, passOn: () => void): void;
  /** There was no answer. */
  onFailure(cause: Error, wasSent: boolean): void;
}

/** The upstream let an upgrade wait; by undici's name for the same. */
class UpgradeTimeoutError extends Error {
  readonly code = 'UND_ERR_HEADERS_TIMEOUT';
}

/** Options of http-proxy's `ws` path; its agent and CA are those of the upstream. */
export interface UpgradeOptions {
  readonly agent: HttpProxy.ServerOptions['agent'];
  /** Certificate authorities to trust; null for Node's own. */
  readonly ca: string[] | null;
}

/** What the typings of http-proxy leave out: the documented way to put a pass into a pipeline. */
interface Proxy extends HttpProxy {
  before(pipeline: 'web' | 'ws', pass: string, added: () => boolean): void;
}

interface HttpProxyModule {
  createProxyServer(options: HttpProxy.ServerOptions): Proxy;
}

export function createPipeline(target: Target, pass: ExchangePass, upgrade: UpgradeOptions): ProxyPipeline {
  const proxy = loadHttpProxy().createProxyServer({
    // Parsed already: http-proxy would call url.parse, which newer Node warns about.
    target: {
      protocol: new URL(target.origin).protocol,
      host: target.hostname,
      hostname: target.hostname,
      port: Number(target.port),
      path: target.basePath,
    },
    // Takes request paths as they are instead of running them through url.parse.
    toProxy: true,
    ...(upgrade.agent ? { agent: upgrade.agent } : {}),
    ...(upgrade.ca === null ? {} : { ca: upgrade.ca }),
  });
  /** Handed over beside the options, which http-proxy would copy for each request. */
  let current: Exchange | null = null;
  proxy.before('web', 'stream', () => {
    const exchange = current;
    current = null;
    if (exchange === null) throw new TypeError('a request was forwarded without its exchange');
    pass(exchange);
    return true;
  });
  const attempts = new WeakMap<IncomingMessage, UpgradeAttempt>();
  proxy.on('proxyReqWs', (outgoing, request) => {
    const attempt = attempts.get(request);
    if (attempt !== undefined) follow(outgoing, attempt);
  });
  // Of a WebSocket that is open: what comes before that never gets here.
  proxy.on('error', (_cause, _request, socket) => socket.destroy());
  return {
    forward: (exchange) => {
      current = exchange;
      proxy.web(exchange.request, exchange.response);
    },
    forwardUpgrade: (attempt) => {
      const { request, socket, head } = attempt;
      attempts.set(request, attempt);
      proxy.ws(request, socket, head);
    },
  };
}

/** Called by http-proxy before it adds listeners of its own. */
function follow(outgoing: ClientRequest, { socket, openTimeoutMs, signal, listener }: UpgradeAttempt): void {
  const giveUp = (): void => void outgoing.destroy();
  socket.once('close', giveUp);
  signal.addEventListener('abort', giveUp);
  outgoing.once('close', () => {
    socket.off('close', giveUp);
    signal.removeEventListener('abort', giveUp);
  });
  outgoing.setTimeout(openTimeoutMs, () => outgoing.destroy(new UpgradeTimeoutError('upgrade timed out')));
  outgoing.once('upgrade', (answer, upstream) => {
    upstream.setTimeout(0);
    upstream.once('close', () => socket.destroySoon());
    socket.once('close', () => upstream.destroy());
    listener.onOpen(answer, upstream);
  });
  process.nextTick(() => decideInstead(outgoing, listener));
}

/** http-proxy would pass on every answer, and end the client's connection after every failure. */
function decideInstead(outgoing: ClientRequest, listener: UpgradeListener): void {
  const passers = outgoing.listeners('response');
  outgoing.removeAllListeners('response').removeAllListeners('error');
  let isOver = false;
  outgoing.on('response', (answer) => {
    isOver = true;
    answer.on('error', ignore);
    // http-proxy writes the headers as they are, then the body without its chunk framing.
    delete answer.headers['transfer-encoding'];
    answer.headers.connection = 'close';
    let isPassedOn = false;
    listener.onRefused(answer, () => {
      isPassedOn = true;
      for (const passer of passers) Reflect.apply(passer, outgoing, [answer]);
    });
    if (!isPassedOn) outgoing.destroy();
  });
  outgoing.on('error', (cause) => {
    if (!isOver) listener.onFailure(cause, (outgoing.socket?.bytesWritten ?? 0) > 0);
    isOver = true;
  });
}

/** An answer that nobody wants any more may break off. */
function ignore(): void {}

/** http-proxy keeps `util._extend` at load; from Node 22 on each call of that warns. Object.assign does the same. */
function loadHttpProxy(): HttpProxyModule {
  const extend = Object.getOwnPropertyDescriptor(util, '_extend');
  Object.defineProperty(util, '_extend', { value: Object.assign, configurable: true, writable: true });
  try {
    return createRequire(import.meta.url)('http-proxy');
  } finally {
    if (extend !== undefined) Object.defineProperty(util, '_extend', extend);
  }
}
