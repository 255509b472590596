// The page of figures: tables between markers, which the bench writes; what people wrote around them stays.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Row, Table } from './bench.ts';

/** As Markdown. */
export function markdownOf({ head, lines, verdicts }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...lines.map(line), '', ...verdicts.map((verdict) => `- ${verdict}`)].join(
    '\n',
  );
}

/**
 * Writes one part between its markers, `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
 * @throws Error when the page lacks them
 */
export function writePart(file: string, name: string, text: string): void {
  const page = readFileSync(file, 'utf8');
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for "${name}" (${begin} … ${end})`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`);
}

/** The part of one row. */
export function partOf(row: Row, table: Table, machine: string): string {
  return `### ${row.title}\n\n${machine}\n\n${markdownOf(table)}`;
}
