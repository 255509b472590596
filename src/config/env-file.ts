// The one place that knows dotenv: reads a .env file into variables with their lines.
// It never touches process.env; which variable wins is load.ts's.
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { readText } from './read-text.ts';

/** The variables of a .env file, or the problem that kept it from being read. */
export interface EnvFile {
  readonly path: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly problem: string | undefined;
  /** Where a variable was set, for messages: `/etc/flow-proxy.env line 3`. */
  placeOf(variable: string): string;
}

const MAX_BYTES = 1024 * 1024;

/** Codes that mean there is no .env file; a folder of that name is often a Python environment. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR'];

/** Reads the named file, which must exist, or else `.env` in `cwd` when there is one. */
export function readEnvFile(named: string | undefined, cwd: string): EnvFile {
  const isNamed = named !== undefined && named !== '';
  const path = resolve(cwd, isNamed ? named : '.env');
  const file = readText(path, MAX_BYTES);
  if ('text' in file) return envFile(path, file.text, undefined);
  const isAbsent = file.code !== undefined && ABSENT.includes(file.code);
  return envFile(path, '', isNamed || !isAbsent ? `env file ${path}: ${file.fault}` : undefined);
}

function envFile(path: string, text: string, problem: string | undefined): EnvFile {
  return {
    path,
    variables: parse(text),
    problem,
    placeOf(variable) {
      const line = lineOf(variable, text);
      return line === undefined ? path : `${path} line ${line}`;
    },
  };
}

/** The last line that sets a variable, as dotenv lets the last one win. */
function lineOf(variable: string, text: string): number | undefined {
  const assignments = text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ name: /^\s*(?:export\s+)?([\w.-]+)\s*[=:]/.exec(line)?.[1], line: index + 1 }));
  return assignments.findLast(({ name }) => name === variable)?.line;
}
