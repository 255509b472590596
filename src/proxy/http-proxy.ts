// http-proxy, the pipeline that every exchange runs through. Its quirks stay in this file: it is created with the
// exchange pass of ours in front of its own `stream` pass (which then never runs), and with its `ws` path kept.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
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
  /** Runs the `ws` pipeline for an upgrade whose headers are already those for the upstream. */
  forwardUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly events: HttpProxy;
}

/** Options of http-proxy's `ws` path; its agent and CA are those of the upstream. */
export interface UpgradeOptions {
  readonly agent: HttpProxy.ServerOptions['agent'];
  /** Certificate authorities to trust; null for Node's own. */
  readonly ca: string[] | null;
}

interface PassOptions extends HttpProxy.ServerOptions {
  readonly exchange?: Exchange;
}

/** What the typings of http-proxy leave out: the documented way to put a pass into a pipeline. */
interface Proxy extends HttpProxy {
  before(
    pipeline: 'web' | 'ws',
    pass: string,
    added: (request: IncomingMessage, response: ServerResponse, options: PassOptions) => boolean,
  ): void;
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
  proxy.before('web', 'stream', (_request, _response, options) => {
    if (options.exchange === undefined) throw new TypeError('an exchange was forwarded without itself');
    pass(options.exchange);
    return true;
  });
  return {
    events: proxy,
    forward: (exchange) => {
      const options: PassOptions = { exchange };
      proxy.web(exchange.request, exchange.response, options);
    },
    forwardUpgrade: (request, socket, head) => proxy.ws(request, socket, head),
  };
}

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
