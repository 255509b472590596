// Phase × fault × streaming or not × dialect: each cell of the table is a promise to a client.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Dialect } from '../../src/proxy/dialect.ts';
import { type FlowProxy, startFlowProxy } from '../harness/flow-proxy.ts';
import { jsonPost, openCall } from '../harness/http-call.ts';
import { freePort } from '../harness/raw-upstream.ts';
import { root } from '../harness/root.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { FAULTS, type FaultRow, faultTable, type Sight } from './fault-table.ts';

const DIALECTS: readonly Dialect[] = ['openai', 'anthropic'];
const PATHS = { openai: '/v1/chat/completions', anthropic: '/v1/messages' } as const;
const MODELS = { openai: 'gpt-4o', anthropic: 'claude-4-5-sonnet' } as const;

let stack: Stack;
/** In front of nothing. */
let cutOff: FlowProxy;
before(async () => {
  stack = await startStack({
    // The matrix cools a credential in many of its cells; there have to be others left.
    credentials: 90,
    settings: { FIRST_BYTE_TIMEOUT: 1, IDLE_TIMEOUT: 1, LOG_LEVEL: 'INFO' },
  });
  cutOff = await startFlowProxy({
    upstream: `http://127.0.0.1:${await freePort()}/base`,
    credentials: stack.credentials,
  });
});
after(async () => {
  await stack.close();
  await cutOff.end();
});

for (const row of FAULTS) {
  for (const dialect of DIALECTS) {
    for (const isStream of [false, true]) {
      const what = `${row.phase}: ${row.name}, ${dialect}, ${isStream ? 'event stream' : 'whole answer'}`;
      test(`a client sees what the table says (${what})`, () => assertSight(row, dialect, isStream));
    }
  }
}

test('docs/reliability.md quotes the table that these tests run from', () => {
  console.log(faultTable());
  assert.ok(readFileSync(root('docs/reliability.md'), 'utf8').includes(faultTable()));
});

async function assertSight(row: FaultRow, dialect: Dialect, isStream: boolean): Promise<void> {
  const expected = isStream ? (row.stream ?? row.whole) : row.whole;
  stack.reset();
  const proxy = row.fault === 'no upstream' ? cutOff : stack.proxy;
  if (row.fault !== 'no upstream') {
    const times = row.times === undefined ? {} : { times: row.times };
    stack.upstream.setFaults([{ ...times, fault: row.fault }]);
  }
  const body = {
    model: MODELS[dialect],
    max_tokens: 50,
    stream: isStream,
    messages: [{ role: 'user', content: 'marker:M chunks:6' }],
  };
  const response = await openCall(`${proxy.url}${PATHS[dialect]}`, jsonPost(body));
  const { text, isWhole } = await readToTheEnd(response);
  const line = await proxy.waitForExchange(String(response.headers['x-request-id']));
  const seen: Sight = {
    status: response.statusCode ?? 0,
    ending: isWhole ? 'whole' : endingOf(text, dialect),
    code: codeOf(text, isStream && !isWhole),
    attempts: Number(line['attempts']),
  };
  assert.deepEqual(seen, expected, text);
  if (row.fault !== 'no upstream' && row.fault.type === 'status' && seen.status !== 200) {
    for (const [name, value] of Object.entries(row.fault.headers ?? {})) {
      assert.equal(response.headers[name], value, name);
    }
  }
}

async function readToTheEnd(response: NodeJS.ReadableStream): Promise<{ text: string; isWhole: boolean }> {
  let text = '';
  try {
    for await (const piece of response) text += String(piece);
    return { text, isWhole: true };
  } catch {
    return { text, isWhole: false };
  }
}

function endingOf(text: string, dialect: Dialect): Sight['ending'] {
  const last = text.trimEnd().split('\n\n').at(-1) ?? '';
  const isEvent =
    dialect === 'anthropic' ? last.startsWith('event: error\n') : last.startsWith('data: {"error":');
  return isEvent ? 'error event' : 'broken';
}

/** The code of an error of ours: in the body, or in the last event. */
function codeOf(text: string, isEvents: boolean): string | null {
  const json = isEvents ? (text.trimEnd().split('data: ').at(-1) ?? '') : text;
  return /"code":"((?:upstream|exchange|no|all)_[a-z_]+)"/.exec(json)?.[1] ?? null;
}
