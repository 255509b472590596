// The table of docs/operations.md: for each chapter of the guide what is shipped, and which test tries it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../harness/root.ts';

const HEAD = '| Chapter of the guide | What we ship | Test |';
const ROW = /^\| (.+) \| (.+) \| (.+) \|$/gm;
const SHIPPED_FOLDERS = /^(ops|systemd|logrotate)\//;
/** Chapters of the predecessor's guide, by the word that their rows begin with. */
const CHAPTERS = [
  ...['Deploying', 'Environments', 'System service', 'Docker', 'Docker Compose', 'Kubernetes'],
  ...['Monitoring', 'Logs', 'Tuning', 'Troubleshooting', 'Maintenance'],
];

const page = readFileSync(root('docs/operations.md'), 'utf8');
const table = page.slice(page.indexOf(HEAD) + HEAD.length).trimStart();
const rows = [...table.matchAll(ROW)].map(([, chapter = '', shipped = '', tests = '']) => ({
  chapter,
  shipped: codeIn(shipped),
  tests: codeIn(tests),
}));

test('Each chapter of the guide has a row', () => {
  assert.ok(page.includes(HEAD));
  for (const chapter of CHAPTERS)
    assert.ok(
      rows.some((row) => row.chapter.startsWith(`${chapter}:`) || row.chapter.startsWith(`${chapter} `)),
      chapter,
    );
});

test('Each row names tests that are there, and what it says is shipped is there', () => {
  for (const { chapter, shipped, tests } of rows) {
    assert.ok(tests.length > 0, chapter);
    for (const path of [
      ...tests,
      ...shipped.filter((code) => SHIPPED_FOLDERS.test(code) && !code.includes('*')),
    ])
      assert.ok(existsSync(root(path.split(' ')[0] ?? '')), `${chapter}: ${path}`);
  }
});

function codeIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
