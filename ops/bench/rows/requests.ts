// Requests over 64 kept connections, one worker each: GET, POST, and over TLS to the upstream.
import type { Bench, Figures, Row, Table } from '../bench.ts';
import { loadKeptConnections } from '../load.ts';
import { loadTable, ratio, verdictOf } from '../ratios.ts';
import { field, fieldWithoutHaproxy } from '../subjects/field.ts';
import type { StartedSubject, Subject } from '../subjects/subject.ts';
import { startFixedUpstream, startTlsUpstream, type Upstream } from '../upstream.ts';

export const CONNECTIONS = 64;
const OWN = 'flow-proxy';
const BARE = 'bare http-proxy';
/** Requests per second of PERFORMANCE's field, measured elsewhere in one run: bare http-proxy against these. */
const BARE_OVER_PORTKEY = 3_000 / 345;
const BARE_OVER_PREDECESSOR = 3_000 / 205;

export const GET_ROW: Row = {
  name: 'get',
  title: 'GET, 300 B answer, 64 kept connections, one worker',
  run: async (bench) => {
    const figures = await run(bench, field(), startFixedUpstream, null);
    const rate = ratio(figures, 'requestsPerSecond', OWN, BARE);
    return loadTable(figures, [
      cpuVerdict(figures, BARE, 0.55, 0.4),
      cpuVerdict(figures, 'nginx', 5, 3.5),
      verdictOf({ what: 'Requests/s × bare http-proxy', value: rate, must: 1.8, aim: 2.5, sense: 'atLeast' }),
      derived('Portkey 1.15', rate * BARE_OVER_PORTKEY, 8),
      derived('the Python predecessor as shipped', rate * BARE_OVER_PREDECESSOR, 20),
    ]);
  },
};

export const POST_ROW: Row = {
  name: 'post',
  title: 'POST, 2 kB of JSON, 64 kept connections, one worker',
  run: async (bench) => {
    const figures = await run(bench, field(), startFixedUpstream, chatOf(2_048));
    return loadTable(figures, [cpuVerdict(figures, BARE, 0.6, 0.45), cpuVerdict(figures, 'nginx', 5.5, 4)]);
  },
};

export const TLS_ROW: Row = {
  name: 'tls',
  title: 'GET, 300 B answer, TLS to the upstream, one worker',
  run: async (bench): Promise<Table> => {
    const figures = await run(bench, fieldWithoutHaproxy(), startTlsUpstream, null);
    return loadTable(figures, [cpuVerdict(figures, BARE, 0.6, 0.45)]);
  },
};

/** A chat request of so many bytes. */
export function chatOf(bytes: number): string {
  const text = (content: string): string =>
    JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content }] });
  return text('x'.repeat(Math.max(0, bytes - text('').length)));
}

async function run(
  bench: Bench,
  subjects: readonly Subject[],
  start: (folder: string) => Promise<Upstream>,
  body: string | null,
): Promise<ReadonlyMap<string, Figures>> {
  const upstream = await bench.startUpstream(start);
  const started: StartedSubject[] = [];
  for (const subject of subjects) started.push(await bench.start(subject, upstream));
  const path = body === null ? '/v1/models' : '/v1/chat/completions';
  const load = (seconds: number) => (subject: StartedSubject) =>
    loadKeptConnections({
      url: `${subject.url}${path}`,
      connections: CONNECTIONS,
      seconds,
      body,
      folder: bench.folder,
    });
  const [warm, each] = [load(bench.pick(6, 1)), load(bench.pick(3, 1))];
  return bench.compare(started, upstream, warm, each, bench.pick(9, 1));
}

function cpuVerdict(figures: ReadonlyMap<string, Figures>, other: string, must: number, aim: number): string {
  const value = ratio(figures, 'cpuPerRequest', OWN, other);
  return verdictOf({ what: `CPU per request × ${other}`, value, must, aim, sense: 'atMost' });
}

function derived(name: string, value: number, must: number): string {
  const what = `Requests/s × ${name}, derived: not measured here, but by way of bare http-proxy in a published comparison`;
  return verdictOf({ what, value, must, sense: 'atLeast', digits: 0 });
}
