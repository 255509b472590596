// All metrics as a table for the documentation, so that it cannot tell anything else than the code.
import { ALL_METRICS } from './catalogue.ts';
import { PREFIX } from './definition.ts';

/** Markdown. */
export function metricsTable(): string {
  const rows = ALL_METRICS.map(({ name, kind, labels, help }) => {
    const shown = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${PREFIX}${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  return ['| Metric | Kind | Labels | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}
