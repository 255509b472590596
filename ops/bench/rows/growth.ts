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
const SHORT: Rounds = { count: 9, seconds: 2 };
/** Long enough that opening 2,000 connections is next to nothing of what they do. */
const LONG: Rounds = { count: 5, seconds: 8 };

interface Rounds {
  readonly count: number;
  readonly seconds: number;
}

export const GROWTH_ROW: Row = {
  name: 'growth',
  title: 'Cost as it grows, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const few = await bench.start(flowProxy({ name: `${ONE} credential`, credentials: ONE }), upstream);
    const many = await bench.start(flowProxy({ name: `${ALL} credentials`, credentials: ALL }), upstream);
    const byCredentials = await compare(bench, upstream, [few, many], () => CONNECTIONS, SHORT);
    const usual = await bench.start(
      flowProxy({ settings: { FLOW_PROXY_MAX_CONNECTIONS: '4000' } }),
      upstream,
    );
    const loads = [FEW, MANY].map((count) => ({ ...usual, name: `${count} connections` }));
    const byConnections = await compare(
      bench,
      upstream,
      loads,
      ({ name }) => Number.parseInt(name, 10),
      LONG,
    );
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
  { count, seconds }: Rounds,
): Promise<ReadonlyMap<string, Figures>> {
  const load = (time: number) => (subject: StartedSubject) =>
    loadKeptConnections({
      url: `${subject.url}/v1/models`,
      connections: bench.isQuick ? Math.min(200, connectionsOf(subject)) : connectionsOf(subject),
      seconds: time,
      body: null,
      folder: bench.folder,
    });
  const [warm, each] = [load(bench.pick(8, 1)), load(bench.pick(seconds, 1))];
  return bench.compare(subjects, upstream, warm, each, bench.pick(count, 1));
}
