// What a proxy adds to an answer's time when it is not busy: 400 requests a second.
import type { Row, Table } from '../bench.ts';
import { quantile } from '../median.ts';
import { pacedLatencies } from '../paced-load.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { field } from '../subjects/field.ts';
import { startFixedUpstream } from '../upstream.ts';

const PER_SECOND = 400;

export const LATENCY_ROW: Row = {
  name: 'latency',
  title: `Added latency at ${PER_SECOND} requests/s, one worker`,
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const places = [{ name: 'upstream', url: upstream.url }];
    for (const subject of field()) places.push(await bench.start(subject, upstream));
    const taken = new Map<string, number[]>(places.map(({ name }) => [name, []]));
    const seconds = bench.pick(2, 0.5);
    for (const { url } of places)
      await pacedLatencies({ url: `${url}/v1/models`, perSecond: PER_SECOND, seconds });
    for (let round = 0; round < bench.pick(5, 1); round += 1) {
      for (const { name, url } of places) {
        const latencies = await pacedLatencies({ url: `${url}/v1/models`, perSecond: PER_SECOND, seconds });
        taken.get(name)?.push(...latencies);
      }
    }
    const added = (name: string, share: number): number =>
      quantile(taken.get(name) ?? [], share) - quantile(taken.get('upstream') ?? [], share);
    const [own, bare, nginx] = ['flow-proxy', 'bare http-proxy', 'nginx'].map((name) => added(name, 0.5));
    return {
      head: ['subject', 'added p50 ms', 'added p99 ms'],
      lines: places
        .slice(1)
        .map(({ name }) => [name, rounded(added(name, 0.5), 2), rounded(added(name, 0.99), 2)]),
      verdicts: [
        verdictOf({ what: 'Added p50 × bare http-proxy', value: over(own, bare), must: 1, sense: 'atMost' }),
        verdictOf({
          what: 'Added p50 × nginx (an aim only)',
          value: over(own, nginx),
          must: 1.5,
          sense: 'atMost',
        }),
      ],
    };
  },
};

function over(value: number | undefined, other: number | undefined): number {
  return (value ?? Number.NaN) / (other ?? Number.NaN);
}
