// Two workers against one: what a request costs, and how evenly the work falls on them, by the lines of the access log.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Row, Table } from '../bench.ts';
import { HAS_AB, loadKeptConnections, loadNewConnections } from '../load.ts';
import { ratio, rounded, verdictOf } from '../ratios.ts';
import { flowProxy, type StartedFlowProxy } from '../subjects/flow-proxy.ts';
import { startFixedUpstream } from '../upstream.ts';
import { CONNECTIONS } from './requests.ts';

/** Lines wait a moment to be written together. */
const LOG_DELAY_MS = 400;
const FEW_CONNECTIONS = 4;

export const WORKERS_ROW: Row = {
  name: 'workers',
  title: 'Two workers',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    // Two on one processor would measure its changing over from one to the other.
    const place = 'anywhere';
    const one = await bench.start(flowProxy({ name: 'one worker' }), upstream, { place });
    const two = await bench.start(flowProxy({ name: 'two workers' }), upstream, { place, workers: 2 });
    const kept = (connections: number, seconds: number) => (subject: { readonly url: string }) =>
      loadKeptConnections({
        url: `${subject.url}/v1/models`,
        connections,
        seconds,
        body: null,
        folder: bench.folder,
      });
    const seconds = bench.pick(2, 1);
    // Each of two gets half of it.
    const warm = kept(CONNECTIONS, bench.pick(12, 1));
    const figures = await bench.compare(
      [one, two],
      upstream,
      warm,
      kept(CONNECTIONS, seconds),
      bench.pick(9, 1),
    );
    // How the work falls on two that are equally quick: of two processors one has the load as well, and a client that
    // sends the next request with the answer gives more to the worker that does not share one with it.
    const equal = await bench.start(flowProxy({ name: 'two workers on one processor' }), upstream, {
      workers: 2,
    });
    await warm(equal);
    const many = await imbalance(equal, () => kept(CONNECTIONS, seconds)(equal));
    const few = await imbalance(equal, () => kept(FEW_CONNECTIONS, seconds)(equal));
    const fresh = HAS_AB
      ? await imbalance(equal, () => loadNewConnections(`${equal.url}/v1/models`, 50, bench.pick(4_000, 500)))
      : Number.NaN;
    const cpu = ratio(figures, 'cpuPerRequest', 'two workers', 'one worker');
    const apart = (what: string, value: number): string =>
      verdictOf({ what: `Work apart, ${what}`, value, must: 15, sense: 'atMost', unit: ' %', digits: 1 });
    return {
      head: ['workers', 'requests/s', 'CPU µs/request'],
      lines: [...figures].map(([name, { requestsPerSecond, cpuPerRequest }]) => [
        name,
        rounded(requestsPerSecond),
        rounded(cpuPerRequest),
      ]),
      verdicts: [
        verdictOf({ what: 'CPU per request, two workers × one', value: cpu, must: 1.1, sense: 'atMost' }),
        apart(`${CONNECTIONS} kept connections`, many),
        apart(`${FEW_CONNECTIONS} kept connections`, few),
        apart('`ab` without keep-alive', fresh),
      ],
    };
  },
};

/** By how many percent the busier worker was above the average. */
async function imbalance(subject: StartedFlowProxy, load: () => Promise<unknown>): Promise<number> {
  await pause(LOG_DELAY_MS);
  const before = await linesByWorker(subject.logFile);
  await load();
  await pause(LOG_DELAY_MS);
  const after = await linesByWorker(subject.logFile);
  const counts = [...after].map(([worker, count]) => count - (before.get(worker) ?? 0));
  const average = counts.reduce((sum, count) => sum + count, 0) / Math.max(2, counts.length);
  return (Math.max(...counts) / average - 1) * 100;
}

async function linesByWorker(file: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const worker = /"worker":(\d+)/.exec(line)?.[1];
    if (worker !== undefined && line.includes('Request processed'))
      counts.set(worker, (counts.get(worker) ?? 0) + 1);
  }
  return counts;
}
