// Which files logrotate would rotate: the path patterns of the configurations in a folder such as /etc/logrotate.d.
// Only reads; what the directives say is logrotate's business.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One pattern and where it stands. */
export interface LogrotateRule {
  readonly pattern: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Where logrotate itself looks. */
export const LOGROTATE_FOLDER = '/etc/logrotate.d';

const SCRIPT = /^(?:prerotate|postrotate|firstaction|lastaction|preremove)\b/;
/** Of the file names that logrotate passes over (its `tabooext`), those that occur on servers. */
const IGNORED = /(?:\.disabled|\.dpkg-\w+|\.bak|\.orig|\.rpm\w+|\.swp|\.ucf-\w+|~|,v)$|^\./;

/** The rule that covers a path; undefined when there is none, or no such folder. */
export function findLogrotateRule(folder: string, path: string): LogrotateRule | undefined {
  return configurations(folder)
    .flatMap((file) => rulesOf(file))
    .find(({ pattern }) => matches(pattern, path));
}

function configurations(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !IGNORED.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function rulesOf(file: string): LogrotateRule[] {
  try {
    return parseRules(readFileSync(file, 'utf8'), file);
  } catch {
    // A folder, or closed to us: logrotate runs as root and may see more.
    return [];
  }
}

/** The patterns of one configuration: what stands before the braces, quoted or not, on one line or several. */
export function parseRules(text: string, file: string): LogrotateRule[] {
  const rules: LogrotateRule[] = [];
  let place: 'outside' | 'block' | 'script' = 'outside';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (place === 'script') {
      if (line === 'endscript') place = 'block';
      continue;
    }
    if (line === '' || line.startsWith('#')) continue;
    if (place === 'block') {
      if (SCRIPT.test(line)) place = 'script';
      else if (line.includes('}')) place = 'outside';
      continue;
    }
    const [paths = '', block] = line.split('{', 2);
    for (const [word] of paths.matchAll(/"[^"]*"|'[^']*'|\S+/g)) {
      const pattern = word.replace(/^(["'])(.*)\1$/, '$2');
      if (pattern.startsWith('/')) rules.push({ pattern, file, line: index + 1 });
      // A global directive with its values.
      else break;
    }
    if (block !== undefined && !block.includes('}')) place = 'block';
  }
  return rules;
}

/** Whether a path fits a pattern of glob(7). */
function matches(pattern: string, path: string): boolean {
  const source = pattern.replaceAll(/\[([!^]?)([^\]]+)\]|[*?]|[.+^${}()|\\[\]]/g, (token, not, set) => {
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (set === undefined) return `\\${token}`;
    return `[${not === '' ? '' : '^'}${set.replaceAll(/[\\^]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^${source}$`).test(path);
  } catch {
    // A range that runs backwards fits nothing.
    return false;
  }
}
