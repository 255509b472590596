// Large bodies with a rewrite rule (the one for Anthropic clients that ships): what other requests wait meanwhile.
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Row, Table } from '../bench.ts';
import { runCommand } from '../commands.ts';
import { median, quantile } from '../median.ts';
import { pacedLatencies } from '../paced-load.ts';
import { pinned } from '../pinned-process.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import { startFixedUpstream } from '../upstream.ts';

const SCRIPT = fileURLToPath(new URL('../large-body-script.js', import.meta.url));
const BODY_BYTES = 2 * 1024 * 1024;
/** Between two of them. */
const PAUSE_MS = 50;
/** After this they are under way. */
const BEGUN_MS = 1_000;

export const BODY_ROW: Row = {
  name: 'body',
  title: 'A 2 MB JSON body with a rewrite rule, and what others wait meanwhile, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    // Not on one processor alone, where the thread for large bodies could only take its time from the others.
    const { url } = await bench.start(flowProxy(), upstream, { place: 'anywhere' });
    const seconds = bench.pick(8, 1);
    const small = { url: `${url}/v1/models`, perSecond: 100, seconds };
    const alone: number[] = [];
    const beside: number[] = [];
    let sent = 0;
    for (let round = 0; round <= bench.pick(5, 1); round += 1) {
      const without = quantile(await pacedLatencies(small), 0.99);
      const sending = sendBodies(url, seconds + (2 * BEGUN_MS) / 1000);
      await pause(BEGUN_MS);
      const among = quantile(await pacedLatencies(small), 0.99);
      sent += await sending;
      // The first round warms everything up.
      if (round > 0) {
        alone.push(without);
        beside.push(among);
      }
    }
    const rise = median(beside) - median(alone);
    return {
      head: ['other requests', 'p99 ms'],
      lines: [
        ['alone', rounded(median(alone), 1)],
        [`beside 2 MB bodies (${sent} in all)`, rounded(median(beside), 1)],
      ],
      verdicts: [
        verdictOf({ what: 'p99 rises by', value: rise, must: 5, sense: 'atMost', unit: ' ms', digits: 1 }),
      ],
    };
  },
};

/** @returns how many */
async function sendBodies(url: string, seconds: number): Promise<number> {
  const args = [SCRIPT, url, String(BODY_BYTES), String(PAUSE_MS), String(seconds)];
  const { stdout } = await runCommand(...pinned('load', process.execPath, args));
  return Number(stdout);
}
