// Whether a request costs the same with many connections and many credentials as with few.
import type { Bench, Figures, Row, Table } from '../bench.ts';
import { type Counted, loadKeptConnections } from '../load.ts';
import { ratio, rounded, verdictOf } from '../ratios.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import type { StartedSubject } from '../subjects/subject.ts';
import { startFixedUpstream } from '../upstream.ts';
import { CONNECTIONS } from './requests.ts';

const [FEW, MANY] = [8, 2_000];
const [ONE, ALL] = [1, 200];
const [CREDENTIAL_ROUNDS, CREDENTIAL_SECONDS, WARM_SECONDS] = [9, 2, 8];
const CONNECTION_ROUNDS = 7;
/** How long the load goes on, and what of it counts: a busy worker takes 2,000 connections in two to three seconds. */
const [LOAD_SECONDS, LEAD_SECONDS, WINDOW_SECONDS] = [9, 5, 3];

export const GROWTH_ROW: Row = {
  name: 'growth',
  title: 'Cost as it grows, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const few = await bench.start(flowProxy({ name: `${ONE} credential`, credentials: ONE }), upstream);
    const many = await bench.start(flowProxy({ name: `${ALL} credentials`, credentials: ALL }), upstream);
    const byCredentials = await bench.compare(
      [few, many],
      upstream,
      loadOf(bench, bench.pick(WARM_SECONDS, 1), () => CONNECTIONS),
      loadOf(bench, bench.pick(CREDENTIAL_SECONDS, 1), () => CONNECTIONS),
      bench.pick(CREDENTIAL_ROUNDS, 1),
    );
    const usual = await bench.start(
      flowProxy({ settings: { FLOW_PROXY_MAX_CONNECTIONS: '4000' } }),
      upstream,
    );
    const loads = [FEW, MANY].map((count) => ({ ...usual, name: `${count} connections` }));
    const byConnections = await bench.compareWindows(
      loads,
      upstream,
      loadOf(bench, bench.pick(LOAD_SECONDS, 2), ({ name }) => Number.parseInt(name, 10)),
      { leadMs: bench.pick(LEAD_SECONDS * 1_000, 500), ms: bench.pick(WINDOW_SECONDS * 1_000, 500) },
      bench.pick(CONNECTION_ROUNDS, 1),
    );
    const lines = [...byConnections, ...byCredentials].map(([name, { cpuPerRequest }]) => [
      name,
      rounded(cpuPerRequest),
    ]);
    const flat = (what: string, figures: ReadonlyMap<string, Figures>): string => {
      const [small = '', large = ''] = figures.keys();
      const value = ratio(figures, 'cpuPerRequest', large, small);
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

function loadOf(
  bench: Bench,
  seconds: number,
  connectionsOf: (subject: StartedSubject) => number,
): (subject: StartedSubject) => Promise<Counted> {
  return (subject) =>
    loadKeptConnections({
      url: `${subject.url}/v1/models`,
      connections: bench.isQuick ? Math.min(200, connectionsOf(subject)) : connectionsOf(subject),
      seconds,
      body: null,
      folder: bench.folder,
    });
}
