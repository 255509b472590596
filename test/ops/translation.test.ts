// The operations page in Chinese says what the English one says, as far as a program can tell. Its commands are the
// same ones, so that test/promises/documented-commands.test.ts runs those of the English page only.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../harness/root.ts';

const ENGLISH = 'operations.md';
const CHINESE = 'operations.zh-CN.md';
const FENCED = /^```(\w*)\n([\s\S]*?)^```/gm;
const english = read(ENGLISH);
const chinese = read(CHINESE);

test('Both language versions have the same fenced blocks, their comments aside', () => {
  assert.ok(blocks(english).length > 20);
  assert.deepEqual(blocks(chinese), blocks(english));
});

test('Both language versions have headings of the same levels', () => {
  assert.deepEqual(levels(chinese), levels(english));
});

test('Each chapter has the same tables, code and links in both language versions', () => {
  const [first, ...others] = chapters(english);
  assert.ok(first?.links.includes(CHINESE));
  const [chineseFirst, ...chineseOthers] = chapters(chinese);
  assert.ok(chineseFirst?.links.includes(ENGLISH));
  for (const [index, { heading, ...content }] of others.entries()) {
    const { heading: _, ...translated } = chineseOthers[index] ?? { heading: '' };
    assert.deepEqual(translated, content, heading);
  }
});

test('Both language versions name the same metrics with kind and labels, in the same order', () => {
  assert.ok(metrics(english).length > 20);
  assert.deepEqual(metrics(chinese), metrics(english));
});

function read(name: string): string {
  return readFileSync(root(`docs/${name}`), 'utf8');
}

/** Language and lines of each block. A comment goes from a space and # to the end of its line. */
function blocks(page: string): string[][] {
  return [...page.matchAll(FENCED)].map(([, language = '', text = '']) => [
    language,
    ...text.split('\n').map((line) => line.replace(/(^|\s+)#\s.*$/, '')),
  ]);
}

function levels(page: string): string[] {
  return [...page.replace(FENCED, '').matchAll(/^#+(?= )/gm)].map(([level]) => level);
}

/** What a translation keeps of a chapter; the order of words is another one. */
function chapters(page: string) {
  return page
    .replace(FENCED, '')
    .split(/^(?=#+ )/m)
    .map((text) => ({
      heading: text.split('\n', 1)[0] ?? '',
      columns: rows(text).map((cells) => cells.length),
      code: [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replace(/\s+/g, ' ')).sort(),
      links: [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target),
    }));
}

function metrics(page: string): string[][] {
  return rows(page)
    .filter(([name]) => name?.startsWith('`flow_proxy_'))
    .map((cells) => cells.slice(0, 3));
}

/** The cells of each line of a table. */
function rows(text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|$/gm)].map(([, line = '']) =>
    line.split('|').map((cell) => cell.trim()),
  );
}
