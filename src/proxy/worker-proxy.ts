// Puts the parts of the data plane together for one generation. What it needs of the outside is handed to it, so
// that a test can run it without a cluster.
import { accessName } from '../clients/access.ts';
import type { ClientRefusals } from '../clients/refusals.ts';
import type { TlsPair } from '../clients/tls-pair.ts';
import { Pool } from '../credentials/pool.ts';
import type { Generation } from '../generation.ts';
import type { LineWriter, Logger } from '../logging/logger.ts';
import type { LoopDelay } from '../metrics/loop-delay.ts';
import { Threads } from '../threads.ts';
import { AccessLog } from './access-log.ts';
import { Admission } from './admission.ts';
import { AnswerBatch } from './answer-batch.ts';
import { Cors } from './cors.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';
import { Forwarding } from './forwarding.ts';
import { Handler } from './handler.ts';
import { createPipeline } from './http-proxy.ts';
import { type CredentialReporter, Leases } from './leases.ts';
import { type LimitDesk, LimitGate } from './limit-gate.ts';
import type { Health } from './local-routes.ts';
import { BodyRewriter } from './rewrite/body-rewriter.ts';
import { RewriteRules } from './rewrite/rules.ts';
import { ProxyServer } from './server.ts';
import { showSocketOptions } from './socket-options.ts';
import { parseTarget } from './target.ts';
import { keepTickShape } from './tick-shape.ts';
import { Ticker, tickInterval } from './ticker.ts';
import { openUpstream, trusting } from './upstream.ts';
import { WebSockets } from './websocket.ts';
import { WholeAnswers } from './whole-answer.ts';

/** What the data plane is given. */
export interface WorkerProxyOptions {
  readonly generation: Generation;
  readonly slot: number;
  /** Id of this worker, for probe grants. */
  readonly worker: number;
  readonly log: Logger & LineWriter;
  readonly reporter: CredentialReporter;
  readonly limitDesk: LimitDesk;
  readonly loop: LoopDelay;
  /** Certificate for clients; null for plain HTTP. */
  readonly tls: TlsPair | null;
  /** What this worker cannot know by itself for its health routes. */
  readonly service: () => Pick<Health, 'version' | 'uptimeMs' | 'workersReady' | 'workersWanted'> & {
    readonly refused: ClientRefusals;
  };
  /** Compiled workers/rewrite-body.ts. */
  readonly rewriteTaskFile: string;
}

/** A running data plane. */
export interface WorkerProxy {
  readonly pool: Pool;
  readonly admission: Admission;
  readonly limitGate: LimitGate;
  readonly server: ProxyServer;
  readonly metrics: ExchangeMetrics;
  /** Resolves when every exchange that is over is counted and has its line. */
  settled(): Promise<void>;
  /** Ends what outlives the last exchange: threads and upstream connections. */
  close(): Promise<void>;
}

/** How long the thread for large bodies waits for the next one. */
const IDLE_THREAD_MS = 60_000;

export function createWorkerProxy(options: WorkerProxyOptions): WorkerProxy {
  showSocketOptions();
  keepTickShape();
  const { generation, log } = options;
  const target = parseTarget(generation.targetUrl);
  const pool = new Pool(options.slot, options.worker);
  const leases = new Leases(pool, options.reporter);
  const threads = new Threads(options.rewriteTaskFile, IDLE_THREAD_MS);
  const rewriter = new BodyRewriter(threads);
  const { limits, retry, streamKeepAliveMs, inbound } = generation;
  const { firstByteMs, idleMs, exchangeMs } = limits;
  const ticker = new Ticker(
    tickInterval([streamKeepAliveMs, exchangeMs, inbound.bodyMs, firstByteMs, idleMs]),
  );
  const upstream = openUpstream(
    {
      origin: target.origin,
      ca: generation.upstreamCa,
      outboundProxyUrl: generation.outboundProxyUrl,
      connectTimeoutMs: generation.connectTimeoutMs,
    },
    ticker,
  );
  const metrics = new ExchangeMetrics();
  const accessLog = new AccessLog(log, metrics);
  const forwarding = {
    target,
    upstream,
    leases,
    ticker,
    limits,
    retry,
    streamKeepAliveMs,
    metrics,
    answers: new AnswerBatch(),
    wholeAnswers: new WholeAnswers(generation.keepAliveTimeoutMs),
  };
  const pipeline = createPipeline(target, (exchange) => new Forwarding(exchange, forwarding).start(), {
    agent: upstream.upgradeAgent,
    ca: generation.upstreamCa === null ? null : trusting(generation.upstreamCa),
  });
  const limitGate = new LimitGate(options.limitDesk);
  const admission = new Admission(generation.clients, limitGate);
  const cors = new Cors(generation.corsOrigins);
  const handler = new Handler({
    target,
    admission,
    rules: new RewriteRules(generation.rewriteRules),
    rewriter,
    bounds: {
      keepBytes: generation.keepBodyBytes,
      maxBytes: generation.maxBodyBytes,
      timeoutMs: inbound.bodyMs,
    },
    ticker,
    cors,
    overload: (socket) => server.overload(socket),
    hasAffinity: generation.hasAffinity,
    pipeline,
    accessLog,
    health: () => ({
      ...options.service(),
      credentialsAvailable: pool.countAvailable(Date.now()),
      credentialsTotal: pool.size,
      isDraining: server.connections.isDraining,
      clients: {
        access: accessName(generation.clients),
        keys: generation.clients.needsKey ? admission.keys : null,
        refused: options.service().refused,
      },
    }),
  });
  const webSockets = new WebSockets({
    target,
    admission,
    cors,
    overload: (socket) => server.overload(socket),
    leases,
    pipeline,
    retry,
    accessLog,
    metrics,
    openTimeoutMs: limits.firstByteMs,
  });
  const server = new ProxyServer(
    {
      onRequest: (request, response) => handler.handle(request, response),
      onUpgrade: (request, socket, head) => webSockets.handle(request, socket, head),
    },
    { keepAliveTimeoutMs: generation.keepAliveTimeoutMs, inbound, loop: options.loop, tls: options.tls, log },
  );
  return {
    pool,
    admission,
    limitGate,
    server,
    metrics,
    settled: () => accessLog.allWritten(),
    close: async () => {
      await Promise.all([threads.close(), upstream.close()]);
    },
  };
}
