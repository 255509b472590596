// The shell commands that the documents print: what stands in their fenced bash blocks, line by line.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';

/** One fenced block. */
export interface CommandBlock {
  /** `docs/operations.md:12`, of its first line. */
  readonly place: string;
  /** Whole commands: lines that end with a backslash are one with the next. */
  readonly commands: readonly string[];
}

/** Every bash block of the README and of docs/, except translations: test/ops/translation.test.ts compares those. */
export function documentedBlocks(): CommandBlock[] {
  const pages = readdirSync(root('docs')).filter((name) => name.endsWith('.md') && !name.includes('zh-CN'));
  return ['README.md', ...pages.map((name) => join('docs', name))].flatMap((file) =>
    blocksOf(file, readFileSync(root(file), 'utf8')),
  );
}

/** The bash blocks of one page. */
export function blocksOf(file: string, text: string): CommandBlock[] {
  return [...text.matchAll(/^ *```(?:bash|sh|shell|console)\n([\s\S]*?)^ *```/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length + 1;
    const lines = (match[1] ?? '').replace(/\\\n/g, ' ').split('\n');
    const commands = lines.map((each) => each.trim()).filter((each) => each !== '' && !each.startsWith('#'));
    return { place: `${file}:${line}`, commands };
  });
}
