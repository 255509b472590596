// A report as text for a terminal of usual width.
import type { NamedSums, Percentiles, Report } from './summary.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
const COLUMNS = [
  'exchanges',
  'share',
  'succeeded',
  'bytes in',
  'bytes out',
  'tokens in',
  'out',
  'cached',
] as const;
const ONLY_FAILURES = 'not in this log: exchanges that succeed are INFO, and it has no line of that level';
/** Rows of a table; `--json` has them all. */
const MOST_ROWS = 20;

export function reportText(report: Report): string {
  const { exchanges, failures, slowest } = report;
  const sections = [
    head(report),
    ...namedTable('By credential (configuration usage)', report.credentials),
    ...namedTable('By model', report.models),
    ...namedTable('By client key', report.clients),
    ...section(
      'Failures by reason',
      failures.map(({ reason, count }) => [reason, whole(count), percentOf(count, exchanges)]),
    ),
    ...section(
      'Slowest',
      slowest.map((slow) => [
        slow.time,
        seconds(slow.durationMs),
        String(slow.status),
        slow.credential,
        slow.requestId,
        `${slow.method} ${slow.path}${slow.model === '' ? '' : ` ${slow.model}`}`,
      ]),
      [2],
    ),
  ];
  return `${sections.join('\n\n')}\n`;
}

function head(report: Report): string {
  const { exchanges, lines, files, answeredLocally } = report;
  const isLogOfFailures = report.successRate === null && exchanges > 0;
  const success = `${percent(report.successRate)} (${whole(report.succeeded)})`;
  const locally = answeredLocally === 0 ? '' : `, and ${whole(answeredLocally)} answered locally`;
  const older = report.olderLines === 0 ? '' : `, ${whole(report.olderLines)} older ones passed over`;
  return align(
    [
      ['read', `${whole(files)} ${files === 1 ? 'file' : 'files'}, ${bytes(report.bytes)}`],
      ['time', report.from === null ? 'no line' : `${report.from} to ${report.to}`],
      ['lines', `${whole(lines)}, ${whole(report.brokenLines)} broken${older}`],
      ['error rate', `${percent(report.errorRate)} (${whole(report.errorLines)} ERROR lines)`],
      ['exchanges', `${whole(exchanges)}${locally}`],
      ['success rate', isLogOfFailures ? ONLY_FAILURES : success],
      ['failed', `${isLogOfFailures ? '-' : percentOf(report.failed, exchanges)} (${whole(report.failed)})`],
      ['client gone', `${percentOf(report.clientsGone, exchanges)} (${whole(report.clientsGone)})`],
      ['failovers', whole(report.failovers)],
      ['first byte', percentiles(report.ttfbMs)],
      ['duration', percentiles(report.durationMs)],
    ],
    [],
  );
}

function namedTable(title: string, rows: readonly NamedSums[]): string[] {
  const cells = rows.map((row) => [
    row.name,
    whole(row.exchanges),
    percent(row.share),
    percent(row.successRate),
    bytes(row.bytesIn),
    bytes(row.bytesOut),
    ...(row.withTokens === 0
      ? ['-', '-', '-']
      : [whole(row.tokensIn), whole(row.tokensOut), whole(row.tokensCached)]),
  ]);
  if (cells.length === 0) return [];
  return section(title, [['', ...COLUMNS], ...cells], [1, 2, 3, 4, 5, 6, 7, 8]);
}

function section(title: string, rows: readonly string[][], toTheRight: readonly number[] = [1, 2]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > MOST_ROWS ? `\n  … and ${rows.length - MOST_ROWS} more (--json has them)` : '';
  return [`${title}\n${align(rows.slice(0, MOST_ROWS), toTheRight)}${more}`];
}

function align(rows: readonly (readonly string[])[], toTheRight: readonly number[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0;
        return toTheRight.includes(column) ? cell.padStart(width) : cell.padEnd(width);
      });
      return `  ${cells.join('  ')}`.trimEnd();
    })
    .join('\n');
}

function percentiles({ p50, p95, p99 }: Percentiles): string {
  if (p50 === null) return '-';
  return `p50 ${seconds(p50)}, p95 ${seconds(p95 ?? 0)}, p99 ${seconds(p99 ?? 0)}`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}

function percent(rate: number | null): string {
  return rate === null ? '-' : `${rate.toFixed(1)} %`;
}

function percentOf(part: number, all: number): string {
  return percent(all === 0 ? null : (part * 100) / all);
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), UNITS.length - 1);
  return `${(count / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
