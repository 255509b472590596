// What `flow-proxy top` draws: the live status in as many lines and columns as there are. Pure.
import { stripVTControlCharacters, styleText } from 'node:util';
import type { LiveStatus, RecentFailures } from '../control/live.ts';
import type { CredentialStatus, HostFigures, WorkerStatus } from '../control/status.ts';
import type { Percentiles } from '../metrics/rates.ts';
import { amount, bytes, duration, percent } from './figures.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

type Style = Parameters<typeof styleText>[0];

const BARS = '▁▂▃▄▅▆▇█';

/**
 * @param trouble why the figures are not the latest; null when they are
 * @returns at most `rows` lines of at most `columns` characters, with colours
 */
export function drawTop(status: LiveStatus, trouble: string | null, { columns, rows }: ScreenSize): string[] {
  const { service, failures } = status;
  const head = [...headLines(status, trouble, columns), ''];
  const workers = [...service.workers, ...service.draining.flatMap((generation) => generation.workers)];
  const sections = [
    { title: ['WORKER', 'PID', 'STAGE', 'IN FLIGHT', 'MEMORY', 'LOOP LATE'], rows: workers.map(workerRow) },
    {
      title: ['CREDENTIAL', 'STATE', 'SHARE', 'REQ/S', 'COOLDOWN'],
      rows: service.credentials.map((credential) => credentialRow(credential, status)),
    },
    { title: ['FAILED', 'ROUTE', 'CREDENTIAL', 'AGO'], rows: failures.map((one) => failureRow(one, status)) },
  ].filter((section) => section.rows.length > 0);
  const room = rows - head.length - 2 * sections.length - 1;
  const shares = shareOut(
    sections.map((section) => section.rows.length),
    room,
  );
  const body = sections.flatMap((section, index) => {
    const shown = section.rows.slice(0, shares[index]);
    const hidden = section.rows.length - shown.length;
    return [...table(section.title, shown, hidden), ''];
  });
  const lines = [...head, ...body].map((line) => cut(line, columns)).slice(0, rows - 1);
  const filled = [...lines, ...Array<string>(Math.max(0, rows - 1 - lines.length)).fill('')];
  return [...filled, styleText('dim', cut(' q quits', columns))].slice(0, rows);
}

/** Each gets what it needs; when there is too little, the smaller ones first. */
export function shareOut(needs: readonly number[], room: number): number[] {
  const shares = needs.map(() => 0);
  let left = Math.max(0, room);
  const order = needs.map((_, index) => index).sort((a, b) => (needs[a] ?? 0) - (needs[b] ?? 0));
  for (const [position, index] of order.entries()) {
    const fair = Math.floor(left / (order.length - position));
    shares[index] = Math.min(needs[index] ?? 0, fair);
    left -= shares[index] ?? 0;
  }
  return shares;
}

function headLines(
  { service, rates, totals, at, history }: LiveStatus,
  trouble: string | null,
  columns: number,
): string[] {
  const { listen, state, version, host } = service;
  const up = duration(Date.parse(at) - Date.parse(service.startedAt));
  const where = `${listen.isSecure ? 'https' : 'http'}://${listen.host}:${listen.port}`;
  const style = state === 'ready' ? 'green' : 'yellow';
  const failed =
    rates !== null && rates.requestsPerSecond > 0 ? rates.failuresPerSecond / rates.requestsPerSecond : 0;
  const perSecond = rates === null ? '–' : `${amount(rates.requestsPerSecond)}/s`;
  const machine = host === null ? '' : `   machine: ${machineText(host)}`;
  return [
    `${styleText('bold', `flow-proxy ${version}`)}  ${styleText(style, state)}  ${where}  up ${up}  pid ${service.pid}`,
    trouble === null
      ? `in flight ${amount(service.inFlight)}, streams ${amount(rates?.streamsOpen ?? 0)}${machine}`
      : styleText('red', trouble),
    `since start ${amount(totals.requests)} requests, ${amount(totals.failures)} failed`,
    '',
    `requests ${styleText('bold', perSecond)}   failures ${styleText(failed > 0 ? ['bold', 'red'] : 'bold', percent(failed))}   tokens/s ${amount(rates?.inputTokensPerSecond ?? 0)} in, ${amount(rates?.outputTokensPerSecond ?? 0)} out`,
    `p50/p90/p99  first byte ${spread(rates?.firstByte)}   whole ${spread(rates?.duration)}   ours ${spread(rates?.overhead)}`,
    styleText(
      'cyan',
      sparkline(
        history.map(({ requestsPerSecond }) => requestsPerSecond),
        columns,
      ),
    ),
  ];
}

function machineText({
  cpuPercent,
  memoryTotalBytes,
  memoryAvailableBytes,
  loadAverage,
}: HostFigures): string {
  const memory = percent(1 - memoryAvailableBytes / memoryTotalBytes);
  return `cpu ${percent(cpuPercent / 100)}, memory ${memory}, load ${loadAverage.toFixed(2)}`;
}

function spread(latency: Percentiles | null | undefined): string {
  if (latency === null || latency === undefined) return '–';
  return [latency.p50, latency.p90, latency.p99].map(duration).join('/');
}

/** One character for each figure, the latest at the right. */
export function sparkline(figures: readonly number[], columns: number): string {
  const shown = figures.slice(-columns);
  const highest = Math.max(...shown, 0);
  if (highest === 0) return '';
  return shown.map((figure) => BARS[Math.round((figure / highest) * (BARS.length - 1))] ?? ' ').join('');
}

function workerRow({ slot, pid, stage, inFlight, rssBytes, loopDelayMs }: WorkerStatus): string[] {
  const shown = styled(stage === 'ready' ? 'green' : 'yellow', stage);
  return [String(slot), String(pid), shown, amount(inFlight), bytes(rssBytes), duration(loopDelayMs)];
}

function credentialRow(credential: CredentialStatus, { rates, at }: LiveStatus): string[] {
  const { name, available, disabled, cooldowns } = credential;
  const own = rates?.credentials.find((one) => one.name === name);
  const [state, style] = disabled
    ? (['disabled', 'red'] as const)
    : available
      ? (['available', cooldowns.length > 0 ? 'yellow' : 'green'] as const)
      : (['resting', 'yellow'] as const);
  const [soonest] = cooldowns;
  const more = cooldowns.length > 1 ? ` and ${cooldowns.length - 1} more` : '';
  const left = soonest === undefined ? 0 : Date.parse(soonest.until) - Date.parse(at);
  const until = left > 0 ? duration(left) : 'until probed';
  const scope = soonest?.model === null || soonest === undefined ? '' : ` ${soonest.model}`;
  const cooldown = soonest === undefined ? '' : `${soonest.reason}${scope} ${until}${more}`;
  return [
    name,
    styled(style, state),
    percent(own?.share ?? 0),
    amount(own?.requestsPerSecond ?? 0),
    cooldown,
  ];
}

function failureRow(
  { status, count, route, credential, at: failedAt }: RecentFailures,
  { at }: LiveStatus,
): string[] {
  const ago = duration(Date.parse(at) - Date.parse(failedAt));
  return [styled('red', `${status} ×${amount(count)}`), route, credential, ago];
}

/** @param hidden rows for which there is no room: the title says so */
function table(title: readonly string[], rows: readonly (readonly string[])[], hidden: number): string[] {
  const widths = title.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd();
  const rest = hidden === 0 ? '' : `  (${hidden} more)`;
  return [styleText('dim', lineOf(title) + rest), ...rows.map(lineOf)];
}

function styled(style: Style, text: string): string {
  return styleText(style, text);
}

function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Without its colours when it is too long: a sequence cut in half would colour the rest of the screen. */
function cut(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  return `${[...stripVTControlCharacters(line)].slice(0, Math.max(0, columns - 1)).join('')}…`;
}
