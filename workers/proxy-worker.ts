// Entry point of a cluster worker: waits for its boot message, serves, tells the primary how it is, drains when told
// to or when the primary is gone. It reads no file and no environment.
import { messageOf } from '../src/errors.ts';
import { installedFile } from '../src/installed-files.ts';
import { openPrimaryChannel } from '../src/ipc/channel.ts';
import { type BootMessage, type PoolMessage, PROTOCOL, type ServiceState } from '../src/ipc/messages.ts';
import type { Destination } from '../src/logging/destination.ts';
import { workerLogDestination } from '../src/logging/destinations.ts';
import { createLogger, type Logger } from '../src/logging/logger.ts';
import { LoopDelay } from '../src/metrics/loop-delay.ts';
import { checkSelf } from '../src/proxy/self-check.ts';
import { createWorkerProxy, type WorkerProxy } from '../src/proxy/worker-proxy.ts';
import { VERSION } from '../src/version.ts';

const HEARTBEAT_MS = 500;
/** How long a worker may go on for its exchanges when the primary is gone and nobody counts on it any more. */
const ORPHAN_DRAIN_MS = 30_000;

const channel = openPrimaryChannel();
process.title = 'flow-proxy: worker starting';
// A terminal's Ctrl-C and `kill -HUP -pgid` reach the whole group: what they mean is the primary's to decide.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGUSR2', () => {});
process.on('SIGWINCH', () => {});
process.on('SIGTERM', () => {});

channel.onMessage((message) => {
  if (message.type === 'boot') void serve(message);
});
channel.send({ type: 'started', protocol: PROTOCOL });

async function serve({
  slot,
  worker,
  generation,
  pool,
  clients,
  tls,
  passedSocket,
  logLevel,
  tellsClosed,
}: BootMessage): Promise<void> {
  const destination = workerLogDestination((lostLines) =>
    log.warning({ msg: `Lost ${lostLines} lines while the primary did not read them`, lostLines }),
  );
  let level = logLevel ?? generation.logLevel;
  const log = createLogger(level, { worker: slot }, destination);
  const loop = new LoopDelay();
  let service: ServiceState = pool.service;
  let reports = 0;
  const proxy = createWorkerProxy({
    generation,
    slot,
    worker,
    log,
    tls,
    loop,
    limitDesk: {
      admit: (admission, client) => channel.send({ type: 'admit', admission, client }),
      release: (admission) => channel.send({ type: 'release', admission }),
    },
    rewriteTaskFile: installedFile('dist/workers/rewrite-body.js'),
    service: () => ({ version: VERSION, uptimeMs: Date.now() - service.startedAt, ...service }),
    reporter: {
      failed: (failure) => {
        reports += 1;
        channel.send({ type: 'credentialFailed', report: reports, failure });
        return reports;
      },
      probeWanted: () => channel.send({ type: 'probeWanted' }),
      probeStarted: ({ credentialId, probeOf }) =>
        channel.send({ type: 'probeStarted', credentialId, model: probeOf?.model ?? null }),
      probeEnded: ({ credentialId, probeOf }, hasRecovered) =>
        channel.send({ type: 'probeEnded', credentialId, model: probeOf?.model ?? null, hasRecovered }),
    },
  });
  const onPool = (message: PoolMessage): void => {
    service = message.service;
    proxy.pool.apply(message.snapshot, message.acknowledged);
  };
  onPool(pool);
  if (tellsClosed === true) proxy.server.tellClosed((count) => channel.send({ type: 'closed', count }));
  proxy.admission.apply(clients);
  const drain = drainOnce(proxy, log, slot, () => destination.flush());
  channel.onMessage((message) => {
    if (message.type === 'pool') onPool(message);
    else if (message.type === 'clients') proxy.admission.apply(message.snapshot);
    else if (message.type === 'admitted') proxy.limitGate.onAdmitted(message.admission, message.verdict);
    else if (message.type === 'tls') proxy.server.renewCertificate(message.pair);
    else if (message.type === 'logLevel') {
      level = message.level;
      log.setLevel(level);
    } else if (message.type === 'drain') void drain(message.deadlineMs, 0);
  });
  channel.onDisconnect(() => void drain(ORPHAN_DRAIN_MS, 0));
  process.on('uncaughtException', (cause) => {
    log.error({
      msg: 'A fault in flow-proxy itself: this worker drains and is replaced',
      detail: stackOf(cause),
    });
    channel.send({ type: 'leaving', reason: `a fault in itself (${messageOf(cause)})` });
    void drain(generation.drainTimeoutMs, 1);
  });
  // A plain `kill`: of this worker alone, or of the whole group, whose primary drains its workers anyway.
  process.on('SIGTERM', () => {
    channel.send({ type: 'leaving', reason: 'SIGTERM' });
    void drain(generation.drainTimeoutMs, 0);
  });
  startHeartbeat(proxy, loop, destination);
  const giveUp = async (reason: string): Promise<never> => {
    log.error({ msg: `This worker cannot serve: ${reason}` });
    channel.send({ type: 'cannotServe', reason });
    await destination.flush();
    process.exit(1);
  };
  try {
    // The line of our own request is news to nobody.
    log.setLevel('ERROR');
    await checkSelf(proxy.server);
    log.setLevel(level);
    proxy.metrics.start();
  } catch (cause) {
    await giveUp(`its self-check failed: ${messageOf(cause)}`);
  }
  // It would take connections, only to leave with them.
  if (proxy.server.connections.isDraining) return;
  try {
    const port = await proxy.server.listen(
      passedSocket === null ? { port: generation.port, host: generation.host } : { fd: passedSocket },
    );
    process.title = `flow-proxy: worker ${slot}`;
    channel.send({ type: 'ready', port });
  } catch (cause) {
    await giveUp(`it cannot listen on ${generation.host}:${generation.port}: ${messageOf(cause)}`);
  }
}

function startHeartbeat(
  { server, admission, metrics }: WorkerProxy,
  loop: LoopDelay,
  destination: Destination,
): void {
  setInterval(() => {
    metrics.setLogLinesLost(destination.lostLines);
    channel.send({
      type: 'heartbeat',
      inFlight: server.connections.inFlight,
      rssBytes: process.memoryUsage.rss(),
      loopDelayMs: loop.ms,
      refused: admission.refusals,
      sums: metrics.takeChanged(),
    });
  }, HEARTBEAT_MS).unref();
}

/** Drains, then leaves with the exit code of the first reason. Again, it only brings the deadline forward. */
function drainOnce(
  proxy: WorkerProxy,
  log: Logger,
  slot: number,
  flush: () => Promise<void>,
): (deadlineMs: number, exitCode: number) => Promise<void> {
  let hasBegun = false;
  return async (deadlineMs, exitCode) => {
    if (hasBegun) {
      void proxy.server.drain(deadlineMs);
      return;
    }
    hasBegun = true;
    process.title = `flow-proxy: worker ${slot} draining`;
    const cut = await proxy.server.drain(deadlineMs);
    if (cut > 0) {
      log.warning({
        msg: `Cut ${cut} exchanges that were still running at the drain deadline (FLOW_PROXY_DRAIN_TIMEOUT)`,
      });
    }
    await proxy.settled();
    channel.send({ type: 'drained', sums: proxy.metrics.sums });
    await proxy.close().catch(() => {});
    await flush();
    process.exit(exitCode);
  };
}

function stackOf(cause: unknown): string {
  return cause instanceof Error && cause.stack !== undefined ? cause.stack : String(cause);
}
