// `npm run docs:settings`: writes what the documentation tells of the code from the code: .env.example, the README's
// table of settings, the operations page's table of metrics.
import { readFileSync, writeFileSync } from 'node:fs';
import { envExample, settingsTable } from '../config/print.ts';
import { metricsTable } from '../metrics/table.ts';

const ROOT = new URL('../../../', import.meta.url);

writeFileSync(new URL('.env.example', ROOT), envExample());
fill('README.md', 'settings', settingsTable());
fill('docs/operations.md', 'metrics', metricsTable());

/** Replaces what stands between the two comments of that name. */
function fill(path: string, name: string, text: string): void {
  const file = new URL(path, ROOT);
  const between = new RegExp(`(?<=<!-- ${name}:begin -->)[\\s\\S]*(?=<!-- ${name}:end -->)`);
  const page = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    page.replace(between, () => `\n\n${text.trim()}\n\n`),
  );
}
