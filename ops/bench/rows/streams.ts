// Many event streams at once on one worker: what an event costs, what a stream holds, how late its bytes are.
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Row, Table } from '../bench.ts';
import { median, quantile } from '../median.ts';
import { treeCpuSeconds, treeRssBytes } from '../process-figures.ts';
import { ratioByRound, rounded, verdictOf } from '../ratios.ts';
import { readStreams } from '../stream-load.ts';
import { fieldWithoutHaproxy } from '../subjects/field.ts';
import type { StartedSubject } from '../subjects/subject.ts';
import { startStreamUpstream } from '../upstream.ts';

const EVENTS = 20;
const EVERY_MS = 100;

interface Run {
  readonly broken: number;
  readonly cpuPerEvent: number;
  readonly rssPerStream: number;
  readonly firstByteP99: number;
  readonly jitterP99: number;
}

export const STREAMS_ROW: Row = {
  name: 'streams',
  title: `2,000 event streams at once, ${EVENTS} events ${EVERY_MS} ms apart, one worker`,
  run: async (bench): Promise<Table> => {
    const streams = bench.pick(2_000, 200);
    const upstream = await bench.startUpstream((folder) => startStreamUpstream(folder, EVENTS, EVERY_MS));
    const subjects: StartedSubject[] = [];
    for (const subject of fieldWithoutHaproxy()) subjects.push(await bench.start(subject, upstream));
    const runs = new Map<string, Run[]>(subjects.map(({ name }) => [name, []]));
    for (const subject of subjects) await run(bench, subject, bench.pick(500, 50));
    for (let round = 0; round < bench.pick(9, 1); round += 1) {
      for (const subject of subjects) runs.get(subject.name)?.push(await run(bench, subject, streams));
    }
    return table(runs);
  },
};

async function run(bench: Bench, subject: StartedSubject, streams: number): Promise<Run> {
  const { pid } = subject.process;
  await bench.settle();
  const [idle, cpu] = [treeRssBytes(pid), treeCpuSeconds(pid)];
  const reading = readStreams({ url: subject.url, streams, events: EVENTS, everyMs: EVERY_MS });
  let isOver = false;
  void reading.finally(() => {
    isOver = true;
  });
  let most = idle;
  while (!isOver) {
    most = Math.max(most, treeRssBytes(pid));
    await pause(100);
  }
  const { events, broken, firstByteMs, jitterMs } = await reading;
  return {
    broken,
    cpuPerEvent: ((treeCpuSeconds(pid) - cpu) / Math.max(1, events)) * 1e6,
    rssPerStream: (most - idle) / streams / 1_000,
    firstByteP99: quantile(firstByteMs, 0.99),
    jitterP99: quantile(jitterMs, 0.99),
  };
}

function table(runs: ReadonlyMap<string, readonly Run[]>): Table {
  const every = (name: string, figure: keyof Run): number[] =>
    (runs.get(name) ?? []).map((each) => each[figure]);
  const of = (name: string, figure: keyof Run): number => median(every(name, figure));
  // Memory that a run has taken is kept for the next one: the first is the one that counts.
  const rss = (name: string): number => Math.max(...every(name, 'rssPerStream'));
  const over = (figure: keyof Run): number =>
    ratioByRound(every('flow-proxy', figure), every('bare http-proxy', figure));
  const broken = every('flow-proxy', 'broken').reduce((sum, each) => sum + each, 0);
  return {
    head: ['subject', 'broken', 'CPU µs/event', 'kB/stream', 'first byte p99 ms', 'jitter p99 ms'],
    lines: [...runs.keys()].map((name) => [
      name,
      rounded(of(name, 'broken')),
      rounded(of(name, 'cpuPerEvent')),
      rounded(rss(name)),
      rounded(of(name, 'firstByteP99')),
      rounded(of(name, 'jitterP99')),
    ]),
    verdicts: [
      verdictOf({ what: 'Broken streams', value: broken, must: 0, sense: 'atMost', digits: 0 }),
      verdictOf({
        what: 'CPU per event × bare http-proxy',
        value: over('cpuPerEvent'),
        must: 0.85,
        aim: 0.6,
        sense: 'atMost',
      }),
      verdictOf({
        what: 'RSS per stream above idle',
        value: rss('flow-proxy'),
        must: 35,
        aim: 25,
        sense: 'atMost',
        unit: ' kB',
        digits: 0,
      }),
      verdictOf({
        what: 'First byte p99 × bare http-proxy',
        value: over('firstByteP99'),
        must: 1,
        aim: 0.5,
        sense: 'atMost',
      }),
      verdictOf({ what: 'Jitter p99 × bare http-proxy', value: over('jitterP99'), must: 1, sense: 'atMost' }),
    ],
  };
}
