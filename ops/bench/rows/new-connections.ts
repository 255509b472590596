// ab without keep-alive: one connection for every request.
import type { Row, Table } from '../bench.ts';
import { HAS_AB, loadNewConnections } from '../load.ts';
import { loadTable, ratio, verdictOf } from '../ratios.ts';
import { fieldWithoutHaproxy } from '../subjects/field.ts';
import type { StartedSubject } from '../subjects/subject.ts';
import { startFixedUpstream } from '../upstream.ts';

export const NEW_CONNECTIONS_ROW: Row = {
  name: 'ab',
  title: '`ab -c 50` without keep-alive, one worker',
  run: async (bench): Promise<Table> => {
    if (!HAS_AB) throw new Error('ab is not installed (Debian: apache2-utils)');
    const upstream = await bench.startUpstream(startFixedUpstream);
    const started: StartedSubject[] = [];
    for (const subject of fieldWithoutHaproxy()) started.push(await bench.start(subject, upstream));
    const load = (requests: number) => (subject: StartedSubject) =>
      loadNewConnections(`${subject.url}/v1/models`, 50, requests);
    const [warm, each] = [load(bench.pick(6_000, 500)), load(bench.pick(4_000, 500))];
    const figures = await bench.compare(started, upstream, warm, each, bench.pick(5, 1));
    const value = ratio(figures, 'requestsPerSecond', 'flow-proxy', 'bare http-proxy');
    return loadTable(figures, [
      verdictOf({ what: 'Requests/s × bare http-proxy', value, must: 1, aim: 1.4, sense: 'atLeast' }),
    ]);
  },
};
