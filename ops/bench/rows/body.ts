// Large bodies with a rewrite rule (the one for Anthropic clients that ships): what other requests wait meanwhile.
import { setTimeout as pause } from 'node:timers/promises';
import type { Row, Table } from '../bench.ts';
import { median, quantile } from '../median.ts';
import { pacedLatencies } from '../paced-load.ts';
import { rounded, verdictOf } from '../ratios.ts';
import { flowProxy } from '../subjects/flow-proxy.ts';
import { startFixedUpstream } from '../upstream.ts';

const BODY_BYTES = 2 * 1024 * 1024;
/** Between two of them. */
const PAUSE_MS = 50;

export const BODY_ROW: Row = {
  name: 'body',
  title: 'A 2 MB JSON body with a rewrite rule, and what others wait meanwhile, one worker',
  run: async (bench): Promise<Table> => {
    const upstream = await bench.startUpstream(startFixedUpstream);
    // Not on one processor alone, where the thread for large bodies could only take its time from the others.
    const { url } = await bench.start(flowProxy(), upstream, { place: 'anywhere' });
    const body = largeBody();
    const small = { url: `${url}/v1/models`, perSecond: 100, seconds: bench.pick(4, 1) };
    await Promise.all([pacedLatencies(small), sendBodies(url, body, () => false, 3)]);
    const [alone, beside]: [number[], number[]] = [[], []];
    let sent = 0;
    for (let round = 0; round < bench.pick(3, 1); round += 1) {
      alone.push(quantile(await pacedLatencies(small), 0.99));
      let isOver = false;
      const sending = sendBodies(url, body, () => isOver, Number.POSITIVE_INFINITY);
      beside.push(quantile(await pacedLatencies(small), 0.99));
      isOver = true;
      sent += await sending;
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

function largeBody(): Buffer {
  const messages = Array.from({ length: 64 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: 'lorem ipsum "dolor" sit amet\n'.repeat(Math.ceil(BODY_BYTES / 64 / 33)),
  }));
  const body = { model: 'claude-4-5-sonnet', context_management: { edits: [] }, messages };
  return Buffer.from(JSON.stringify(body));
}

/** One after the other, until it is over. @returns how many */
async function sendBodies(url: string, body: Buffer, isOver: () => boolean, most: number): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  let sent = 0;
  while (!isOver() && sent < most) {
    const answer = await fetch(`${url}/v1/messages`, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`a large body was answered with ${answer.status}`);
    sent += 1;
    await pause(PAUSE_MS);
  }
  return sent;
}
