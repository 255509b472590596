// What it takes to stand there: resident memory with two workers, and the time from start to the first answer.
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, Row, Table } from '../bench.ts';
import { median } from '../median.ts';
import { treeRssBytes } from '../process-figures.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { bareHttpProxy } from '../subjects/bare-http-proxy.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import type { Subject } from '../subjects/subject.ts';
import { startFixedUpstream, type Upstream } from '../upstream.ts';

/** The thread that looks at the machine after the start has gone by then. */
const CALM_MS = 6_000;
const FIRST_ANSWER_MS = 15_000;

export const IDLE_ROW: Row = {
  name: 'idle',
  title: 'Idle, two workers: memory, and time from start to the first served request',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    const own = await stand(bench, flowProxy(), upstream);
    const bare = await stand(bench, bareHttpProxy(), upstream);
    return {
      head: ['subject', 'RSS of all processes MB', 'first answer after ms'],
      lines: [
        ['flow-proxy: primary and 2 workers', rounded(own.megabytes), rounded(own.firstAnswerMs)],
        ['bare http-proxy: primary and 2 workers', rounded(bare.megabytes), rounded(bare.firstAnswerMs)],
      ],
      verdicts: [
        verdictOf({
          what: 'RSS',
          value: own.megabytes,
          must: 220,
          aim: 180,
          sense: 'atMost',
          unit: ' MB',
          digits: 0,
        }),
        verdictOf({
          what: 'First served request',
          value: own.firstAnswerMs,
          must: 1_000,
          aim: 600,
          sense: 'atMost',
          unit: ' ms',
          digits: 0,
        }),
      ],
    };
  },
};

async function stand(
  bench: Bench,
  subject: Subject,
  upstream: Upstream,
): Promise<{ readonly megabytes: number; readonly firstAnswerMs: number }> {
  const starts: number[] = [];
  let megabytes = Number.NaN;
  for (let time = 0; time < bench.pick(3, 1); time += 1) {
    const startedAt = performance.now();
    const { url, process } = await bench.start(subject, upstream, { workers: 2, place: 'anywhere' });
    await firstAnswer(url);
    starts.push(performance.now() - startedAt);
    if (time === 0) {
      await pause(bench.pick(CALM_MS, 1_000));
      megabytes = treeRssBytes(process.pid) / 1e6;
    }
    await process.stop();
  }
  return { megabytes, firstAnswerMs: median(starts) };
}

async function firstAnswer(url: string): Promise<void> {
  const deadline = performance.now() + FIRST_ANSWER_MS;
  for (;;) {
    const answer = await fetch(`${url}/v1/models`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (performance.now() > deadline) throw new Error(`${url} did not answer`);
    await pause(5);
  }
}
