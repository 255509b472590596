// `npm run soak -- MINUTES`: mixed traffic through two workers while the upstream misbehaves at random. Ends with an
// error unless every client error is explained by a fault that nothing could have hidden, memory is flat, and no
// socket or descriptor is left behind.
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type FaultRule, headerValues, type RequestRecord } from '../../ops/simulated-upstream/server.ts';
import { eventually } from '../harness/eventually.ts';
import { type Call, chatPost, jsonPost, openCall, startCall } from '../harness/http-call.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const CLIENTS = 12;
const SAMPLE_MS = 1_000;
const MAX_ATTEMPTS = 4;
/** Two heaps that are still finding their size, in a short run on a busy machine. */
const WARM_UP_KB = 40_000;
/** Faults that another attempt hides, and faults that it must not hide or cannot. */
const HIDDEN: readonly FaultRule['fault'][] = [
  { type: 'status', status: 429, headers: { 'retry-after-ms': '300' } },
  { type: 'status', status: 503 },
  { type: 'status', status: 529 },
  { type: 'delay', ms: 50 },
];
const SEEN: readonly FaultRule['fault'][] = [
  { type: 'status', status: 500 },
  { type: 'close' },
  { type: 'reset' },
  { type: 'garbage' },
  { type: 'cut', afterChunks: 2 },
  { type: 'reset', afterChunks: 1 },
];

/** Names of the latter in the upstream's record, but for its plain 500. */
const BREAKS: readonly string[] = ['close', 'reset', 'garbage', 'cut'];

interface Tally {
  requests: number;
  errors: number;
  abandoned: number;
  readonly unexplained: string[];
}

const minutes = Number(process.argv[2] ?? '1');
if (!(minutes > 0)) throw new Error(`soak wants a number of minutes, got "${process.argv[2]}"`);
process.exitCode = await soak(minutes * 60_000);

async function soak(durationMs: number): Promise<number> {
  const stack = await startStack({
    credentials: 8,
    // What the upstream announces is how long idle connections to it are kept.
    simulation: { keepAliveTimeoutMs: 5_000 },
    settings: { IDLE_TIMEOUT: 5, THROTTLE_WAIT: 2, MAX_ATTEMPTS },
  });
  const tally: Tally = { requests: 0, errors: 0, abandoned: 0, unexplained: [] };
  const samples: number[] = [];
  try {
    const workers = stack.proxy.workerPids();
    const processes = [stack.proxy.pid, ...workers];
    const descriptors = countDescriptors(processes);
    const endAt = Date.now() + durationMs;
    const sampling = setInterval(() => samples.push(rssKb(workers)), SAMPLE_MS);
    const misbehaving = setInterval(() => misbehave(stack), 20);
    await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(stack, tally, index, endAt)));
    clearInterval(sampling);
    clearInterval(misbehaving);
    stack.upstream.setFaults([]);
    await assertNothingLeft(stack, workers, descriptors);
    return report(tally, samples);
  } finally {
    await stack.close();
  }
}

function misbehave({ upstream }: Stack): void {
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(Math.random() * from.length)];
  const fault = Math.random() < 0.7 ? pick(HIDDEN) : pick(SEEN);
  if (fault !== undefined) upstream.setFaults([{ times: 1, fault }]);
}

async function client(stack: Stack, tally: Tally, index: number, endAt: number): Promise<void> {
  for (let turn = 0; Date.now() < endAt; turn += 1) {
    const id = `soak-${index}-${turn}`;
    tally.requests += 1;
    const isAbandoned = Math.random() < 0.05;
    if (isAbandoned) {
      tally.abandoned += 1;
      await abandon(stack, id);
      continue;
    }
    const problem = await one(stack, id);
    if (problem !== null) {
      tally.errors += 1;
      const attempts = attemptsOf(stack, id);
      const seen = attempts.map(({ status, fault }) => `${status} ${fault}`).join(', ');
      if (!isExplained(attempts)) tally.unexplained.push(`${id}: ${problem} (upstream: ${seen})`);
    }
  }
}

/** @returns what went wrong for the client, or null */
async function one({ proxy }: Stack, id: string): Promise<string | null> {
  const [path, call] = randomRequest(id);
  try {
    const response = await openCall(`${proxy.url}${path}`, {
      ...call,
      headers: { ...call.headers, 'x-request-id': id },
    });
    let text = '';
    for await (const piece of response) text += String(piece);
    if (response.statusCode !== 200) return `${response.statusCode} ${text.slice(0, 200)}`;
    const isStream = response.headers['content-type']?.startsWith('text/event-stream');
    return isStream && !/\[DONE\]|message_stop/.test(text) ? 'a stream without its end' : null;
  } catch (cause) {
    return String(cause);
  }
}

/** Leaves at any moment: while uploading, waiting, or in the middle of the answer. */
async function abandon({ proxy }: Stack, id: string): Promise<void> {
  const [path, call] = randomRequest(id);
  const outgoing = startCall(`${proxy.url}${path}`, call);
  outgoing.on('error', () => {}).on('response', (response) => response.on('error', () => {}).resume());
  if (call.body !== undefined && Math.random() < 0.3) outgoing.write(call.body.slice(0, 20));
  else outgoing.end(call.body);
  await pause(Math.random() * 60);
  outgoing.destroy();
}

function randomRequest(id: string): [path: string, call: Call] {
  const kind = Math.floor(Math.random() * 5);
  if (kind === 0) return ['/v1/models', {}];
  if (kind === 1) return ['/v1/chat/completions', chatPost(`marker:${id} chunks:6 interval:5`, true)];
  if (kind === 2) return ['/v1/chat/completions', chatPost('x'.repeat(50_000))];
  if (kind === 3) return ['/v1/bytes?size=500000', {}];
  const messages = [{ role: 'user', content: `marker:${id} chunks:6 interval:5` }];
  const body = { model: 'claude-4-5-sonnet', max_tokens: 9, stream: true, messages, context_management: {} };
  return ['/v1/messages', jsonPost(body)];
}

/**
 * The upstream did to this very request what no attempt may hide, or struck every attempt that it may have. All other
 * errors are ours.
 */
function isExplained(attempts: readonly RequestRecord[]): boolean {
  const isBroken = attempts.some(
    ({ fault, status }) => status === 500 || (fault !== null && BREAKS.includes(fault)),
  );
  return isBroken || (attempts.length === MAX_ATTEMPTS && attempts.every(({ status }) => status !== 200));
}

function attemptsOf({ upstream }: Stack, id: string): readonly RequestRecord[] {
  return upstream.requests.filter(({ rawHeaders }) => headerValues(rawHeaders, 'x-request-id').includes(id));
}

async function assertNothingLeft(stack: Stack, workers: readonly number[], before: number): Promise<void> {
  await stack.upstream.waitForStats(({ activeRequests }) => activeRequests === 0);
  await stack.upstream.waitForStats(({ openConnections }) => openConnections === 0, 30_000);
  await eventually(
    'the return of the descriptors',
    () => (countDescriptors([stack.proxy.pid, ...workers]) <= before + 4 ? true : undefined),
    30_000,
  );
  const still = stack.proxy.workerPids();
  if (still.join() !== workers.join()) throw new Error(`workers were replaced: ${workers} → ${still}`);
}

function report({ requests, errors, abandoned, unexplained }: Tally, samples: readonly number[]): number {
  const third = Math.floor(samples.length / 3);
  const [early, late] = [median(samples.slice(third, 2 * third)), median(samples.slice(2 * third))];
  console.log(
    `requests ${requests}, abandoned ${abandoned}, explained errors ${errors - unexplained.length}`,
  );
  console.log(`unexplained errors ${unexplained.length}, RSS of both workers ${early} kB → ${late} kB`);
  for (const problem of unexplained.slice(0, 20)) console.log(`  ${problem}`);
  const isFlat = samples.length < 9 || late <= early * 1.15 + WARM_UP_KB;
  if (!isFlat) console.log('memory is not flat');
  return unexplained.length === 0 && isFlat ? 0 : 1;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rssKb(pids: readonly number[]): number {
  const of = (pid: number): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return pids.reduce((sum, pid) => sum + of(pid), 0);
}

function countDescriptors(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);
}
