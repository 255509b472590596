// What the rigs of a log that cannot be written have in common: requests that leave long lines, and a look at the lines.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type CommandResult, runFlowProxy } from '../harness/command.ts';
import { eventually } from '../harness/eventually.ts';
import type { FlowProxy } from '../harness/flow-proxy.ts';
import { call } from '../harness/http-call.ts';

export const FOLDER = '/var/log/flow-proxy';
export const CONTROL_SOCKET = '/run/flow-proxy.sock';
/** Each leaves a line of about a kilobyte. */
const LONG_PATH = `/v1/models/${'x'.repeat(280)}`;
/** More than the lines that wait in memory. */
export const FLOOD = 6_000;

/** Requests on keep-alive connections; every one is answered by the upstream's own 404. @param agent for more of them */
export async function flood(
  { url }: { readonly url: string },
  count: number,
  agent: Agent = new Agent({ keepAlive: true, maxSockets: 40 }),
): Promise<void> {
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      assert.equal((await call(`${url}${LONG_PATH}`, { agent })).status, 404);
    }
  };
  await Promise.all(Array.from({ length: 40 }, client));
}

export function command(name: string, ...flags: string[]): Promise<CommandResult> {
  return runFlowProxy({ args: [name, ...flags], settings: { CONTROL_SOCKET } });
}

export async function lostLines(): Promise<number> {
  const { stdout } = await command('status', '--json');
  return JSON.parse(stdout).log.lostLines;
}

/**
 * Lets the log be written again after a flood of lines. What is lost is counted by then in part only: some lines may
 * still be on their way.
 * @returns how many lines were lost, as the log tells it and status as well
 */
export async function lossAfter(mend: () => void): Promise<number> {
  const soFar = await lostLines();
  assert.ok(soFar > 0, 'more than fits in memory is lost, and status says so');
  mend();
  const { lostLines: told } = await lineThat(({ msg }) => /can be written again/.test(String(msg)));
  const lost = await lostLines();
  assert.equal(told, lost);
  assert.ok(lost >= soFar);
  return lost;
}

export const warnings = ({ stderr }: FlowProxy): number => stderr.match(/cannot be written/g)?.length ?? 0;

export type Line = Readonly<Record<string, unknown>>;

/** Every line in every file; each must be whole. */
export function lines(): Line[] {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith('app.') && !name.endsWith('.tmp'))
    .map((name) => [name, readFileSync(join(FOLDER, name))] as const)
    .flatMap(([name, bytes]) => (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** While lines are being written the last one may be half there. */
export async function lineThat(predicate: (line: Line) => boolean): Promise<Line> {
  return eventually('the log line', () => {
    try {
      return lines().find(predicate);
    } catch {
      return undefined;
    }
  });
}
