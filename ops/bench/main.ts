// `npm run bench`: measures flow-proxy beside bare http-proxy and, where installed, nginx and HAProxy, and writes
// docs/performance.md. `--quick` only shows that everything runs; `--only NAME` measures one row.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bench, type Row } from './bench.ts';
import { runCommand } from './commands.ts';
import { describeMachine } from './machine.ts';
import { markdownOf, partOf, writePart } from './page.ts';
import { CAN_PIN, processorsOf } from './pinned-process.ts';
import { BODY_ROW } from './rows/body.ts';
import { GROWTH_ROW } from './rows/growth.ts';
import { IDLE_ROW } from './rows/idle.ts';
import { LATENCY_ROW } from './rows/latency.ts';
import { MEMORY_ROW } from './rows/memory.ts';
import { NEW_CONNECTIONS_ROW } from './rows/new-connections.ts';
import { NODE_26_ROW } from './rows/node-26.ts';
import { GET_ROW, POST_ROW, TLS_ROW } from './rows/requests.ts';
import { STREAMS_ROW } from './rows/streams.ts';
import { WORKERS_ROW } from './rows/workers.ts';

const PAGE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
const USUAL: readonly Row[] = [
  GET_ROW,
  POST_ROW,
  TLS_ROW,
  WORKERS_ROW,
  LATENCY_ROW,
  NEW_CONNECTIONS_ROW,
  STREAMS_ROW,
  BODY_ROW,
  IDLE_ROW,
  GROWTH_ROW,
  NODE_26_ROW,
];
/** One of each kind of load, without the network. */
const QUICK: readonly Row[] = [GET_ROW, LATENCY_ROW, NEW_CONNECTIONS_ROW, STREAMS_ROW, IDLE_ROW];
const ALL: readonly Row[] = [...USUAL, MEMORY_ROW];
const EXIT_USAGE = 64;

process.exitCode = await main();

async function main(): Promise<number> {
  const { quick, only } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
  }).values;
  const unknown = (only ?? []).filter((name) => !ALL.some((row) => row.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no row "${unknown.join('", "')}"; there are ${ALL.map(({ name }) => name).join(', ')}.`,
    );
    return EXIT_USAGE;
  }
  const preset = quick ? QUICK : USUAL;
  await measureAll(only === undefined ? preset : ALL.filter(({ name }) => only.includes(name)), quick);
  return 0;
}

async function measureAll(rows: readonly Row[], isQuick: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-proxy-bench-'));
  const bench = new Bench(isQuick, folder);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  try {
    await leaveTheSubjectsProcessor();
    const machine = describeMachine(new Date());
    console.log(machine);
    for (const row of rows) {
      const startedAt = performance.now();
      const table = await row.run(bench).finally(() => bench.stopAll());
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(`\n### ${row.title} (--only ${row.name}, ${seconds} s)\n\n${markdownOf(table)}`);
      if (!isQuick) writePart(PAGE, row.name, partOf(row, table, machine));
    }
  } finally {
    await bench.stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Some of the load is made by this process. */
async function leaveTheSubjectsProcessor(): Promise<void> {
  if (CAN_PIN) await runCommand('taskset', ['-a', '-cp', processorsOf('load'), String(process.pid)]);
  else console.log('One processor, or no taskset: subject and load share it, so trust the ratios less.');
}
