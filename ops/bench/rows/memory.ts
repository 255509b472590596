// Whether memory grows under full load for ten minutes. Longer than all other rows together: only by `--only memory`.
import { setTimeout as pause } from 'node:timers/promises';
import type { Row, Table } from '../bench.ts';
import { loadKeptConnections } from '../load.ts';
import { median } from '../median.ts';
import { treeRssBytes } from '../process-figures.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import { startFixedUpstream } from '../upstream.ts';
import { CONNECTIONS } from './requests.ts';

const LOOK_EVERY_MS = 1_000;

export const MEMORY_ROW: Row = {
  name: 'memory',
  title: 'Memory over ten minutes at full load, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const { url, process } = await bench.start(flowProxy(), upstream);
    const seconds = bench.pick(600, 20);
    const load = { url: `${url}/v1/models`, connections: CONNECTIONS, body: null, folder: bench.folder };
    let isOver = false;
    const loading = loadKeptConnections({ ...load, seconds }).finally(() => {
      isOver = true;
    });
    const looks: number[] = [];
    while (!isOver) {
      looks.push(treeRssBytes(process.pid) / 1e6);
      await pause(LOOK_EVERY_MS);
    }
    const { requests } = await loading;
    const quarter = (from: number): number =>
      median(looks.slice(Math.floor((looks.length * from) / 4), Math.floor((looks.length * (from + 1)) / 4)));
    return {
      head: ['quarter', 'RSS MB (median)'],
      lines: [0, 1, 2, 3].map((from) => [String(from + 1), rounded(quarter(from))]),
      verdicts: [
        `${requests} requests in ${seconds} s`,
        verdictOf({
          what: 'RSS, last quarter × second',
          value: quarter(3) / quarter(1),
          must: 1.05,
          sense: 'atMost',
        }),
      ],
    };
  },
};
