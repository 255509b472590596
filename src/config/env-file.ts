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
  /** Lines that set nothing though they are no comments, each with its place: `/etc/flow-proxy.env line 3`. */
  readonly ignored: readonly IgnoredLine[];
  /** Where a variable was set, for messages: `/etc/flow-proxy.env line 3`. */
  placeOf(variable: string): string;
}

/** A line of a .env file that is no assignment. */
export interface IgnoredLine {
  readonly place: string;
  /** The whole line: it may hold a secret. */
  readonly text: string;
}

/** A variable, and the line that sets it. */
interface Assignment {
  readonly name: string;
  readonly line: number;
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

/** What dotenv takes for an assignment; a value in quotes may go on over several lines. */
const ASSIGNMENT =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(?:\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\n]+)?\s*(?:#.*)?$/gm;

function envFile(path: string, raw: string, problem: string | undefined): EnvFile {
  const text = raw.replace(/\r\n?/g, '\n');
  const assignments = assignmentsOf(text);
  const placeOfLine = (line: number): string => `${path} line ${line}`;
  return {
    path,
    variables: parse(text),
    problem,
    ignored: otherLines(text).map(({ line, ...rest }) => ({ ...rest, place: placeOfLine(line) })),
    placeOf(variable) {
      // dotenv lets the last one win.
      const last = assignments.findLast(({ name }) => name === variable);
      return last === undefined ? path : placeOfLine(last.line);
    },
  };
}

function assignmentsOf(text: string): Assignment[] {
  return [...text.matchAll(ASSIGNMENT)].map(({ 0: whole, 1: name = '', index }) => ({
    name,
    line: text.slice(0, index + whole.indexOf(name)).split('\n').length,
  }));
}

function otherLines(text: string): { line: number; text: string }[] {
  const rest = text.replace(ASSIGNMENT, (assignment) => assignment.replace(/[^\n]/g, ''));
  return rest
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'));
}
