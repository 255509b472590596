// `flow-proxy doctor`: says line by line what is right, what is not, and what to do about it. What is looked at is
// src/doctor's.
import { styleText } from 'node:util';
import { askService } from '../control/client.ts';
import { isStatus, type ServiceStatus } from '../control/status.ts';
import { bounded } from '../doctor/bounded.ts';
import { examine } from '../doctor/examine.ts';
import { type Finding, type Verdict, worstOf } from '../doctor/finding.ts';
import { countWorkers } from '../host/worker-count.ts';
import { VERSION } from '../version.ts';
import { type CommandLine, loadInput } from './prepare.ts';
import { socketsOf } from './service-commands.ts';

export interface DoctorOptions {
  readonly isLive: boolean;
  readonly asJson: boolean;
}

const ASK_MS = 3_000;
const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** @returns 0 when nothing fails, warnings or not; else 1 */
export async function doctor(commandLine: CommandLine, { isLive, asJson }: DoctorOptions): Promise<number> {
  const findings: Finding[] = [];
  const examination = examine({
    input: loadInput(commandLine),
    isLive,
    running: await runningService(commandLine),
    automaticWorkers: countWorkers(),
  });
  for await (const finding of examination) {
    findings.push(finding);
    if (!asJson) process.stdout.write(lineOf(finding));
  }
  const verdict = worstOf(findings);
  const report = { version: VERSION, verdict, findings };
  process.stdout.write(asJson ? `${JSON.stringify(report, null, 2)}\n` : summaryOf(findings));
  return verdict === 'fail' ? 1 : 0;
}

/** A service that is not there, or that does not answer, is no reason to look no further. */
async function runningService(commandLine: CommandLine): Promise<ServiceStatus | null> {
  try {
    const report = await bounded(ASK_MS, askService(socketsOf(commandLine), 'status'));
    return isStatus(report) ? report : null;
  } catch {
    return null;
  }
}

function lineOf({ check, verdict, message, fix, tookMs }: Finding): string {
  const took = tookMs === undefined ? '' : ` (${tookMs} ms)`;
  const line = `${coloured(verdict)} ${check.padEnd(11)} ${message}${took}\n`;
  return fix === null ? line : `${line}${' '.repeat(17)}→ ${fix}\n`;
}

function coloured(verdict: Verdict): string {
  const word = verdict.padEnd(4);
  return process.stdout.isTTY ? styleText(COLOURS[verdict], word) : word;
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (wanted: Verdict): number => findings.filter(({ verdict }) => verdict === wanted).length;
  return `\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend\n`;
}
