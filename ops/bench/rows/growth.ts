// Whether a request costs the same with many connections and many credentials as with few.
import type { Bench, Figures, Row, Table } from '../bench.ts';
import { loadKeptConnections } from '../load.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import type { StartedSubject } from '../subjects/subject.ts';
import { startFixedUpstream, type Upstream } from '../upstream.ts';
import { CONNECTIONS } from './requests.ts';

const [FEW, MANY] = [8, 2_000];
const [ONE, ALL] = [1, 200];

export const GROWTH_ROW: Row = {
  name: 'growth',
  title: 'Cost as it grows, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const few = await bench.start(flowProxy({ name: `${ONE} credential`, credentials: ONE }), upstream);
    const many = await bench.start(flowProxy({ name: `${ALL} credentials`, credentials: ALL }), upstream);
    const byCredentials = await compare(bench, upstream, [few, many], () => CONNECTIONS);
    const usual = await bench.start(
      flowProxy({ settings: { FLOW_PROXY_MAX_CONNECTIONS: '4000' } }),
      upstream,
    );
    const loads = [FEW, MANY].map((count) => ({ ...usual, name: `${count} connections` }));
    const byConnections = await compare(bench, upstream, loads, ({ name }) => Number.parseInt(name, 10));
    const lines = [...byConnections, ...byCredentials].map(([name, { cpuPerRequest }]) => [
      name,
      rounded(cpuPerRequest),
    ]);
    const flat = (what: string, figures: ReadonlyMap<string, Figures>): string => {
      const [small, large] = [...figures.values()].map(({ cpuPerRequest }) => cpuPerRequest);
      const value = (large ?? Number.NaN) / (small ?? Number.NaN);
      return verdictOf({ what, value, must: 1.15, sense: 'atMost' });
    };
    return {
      head: ['with', 'CPU µs/request'],
      lines,
      verdicts: [
        flat(`CPU per request, ${MANY} connections × ${FEW}`, byConnections),
        flat(`CPU per request, ${ALL} credentials × ${ONE}`, byCredentials),
      ],
    };
  },
};

function compare(
  bench: Bench,
  upstream: Upstream,
  subjects: readonly StartedSubject[],
  connectionsOf: (subject: StartedSubject) => number,
): Promise<ReadonlyMap<string, Figures>> {
  const load = (seconds: number) => (subject: StartedSubject) =>
    loadKeptConnections({
      url: `${subject.url}/v1/models`,
      connections: bench.isQuick ? Math.min(200, connectionsOf(subject)) : connectionsOf(subject),
      seconds,
      body: null,
      folder: bench.folder,
    });
  return bench.compare(subjects, upstream, load(bench.pick(8, 1)), load(bench.pick(2, 1)), bench.pick(9, 1));
}
