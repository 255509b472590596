// Asks a running service by its control socket: HTTP with JSON over a unix socket that only its owner may open.
import { statSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '../errors.ts';

/** Nothing listens at any of the paths. */
export class NotRunningError extends Error {}

/** A service is there and cannot be asked, or does not answer. */
export class ControlError extends Error {}

const ABSENT = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'];
const CLOSED = ['EACCES', 'EPERM'];
/** Speaks like a system error, as it is one more reason why we may not. */
class ForeignFolderError extends Error {
  readonly code = 'EPERM';
}

/** The service does nothing that takes long before it answers, unless it was told to. */
const ANSWER_MS = 10_000;
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Asks the first service that answers; a verb that was told to `wait` takes as long as it takes.
 * @param answerMs how long any other one may take
 * @returns the JSON of the answer, whatever its status
 * @throws NotRunningError, ControlError
 */
export async function askService(
  paths: readonly string[],
  verb: string,
  argument: Readonly<Record<string, unknown>> = {},
  answerMs: number = ANSWER_MS,
): Promise<unknown> {
  const signalOf = (): AbortSignal | undefined =>
    argument['wait'] === true ? undefined : AbortSignal.timeout(answerMs);
  const closed: string[] = [];
  for (const path of paths) {
    try {
      return await ask(path, verb, argument, signalOf());
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'AbortError')
        throw new ControlError(
          `the service at ${path} has not answered for ${answerMs / 1_000} s: it hangs, or has no time`,
          { cause },
        );
      const code = codeOf(cause) ?? '';
      if (CLOSED.includes(code)) closed.push(path);
      else if (!ABSENT.includes(code)) throw new ControlError(explain(cause, path), { cause });
    }
  }
  if (closed.length > 0) {
    throw new ControlError(
      `${closed.join(' and ')} belongs to another user: run this as that user or as root`,
    );
  }
  throw new NotRunningError(`nothing is running: no service answers at ${paths.join(' or ')}`);
}

async function ask(
  path: string,
  verb: string,
  argument: object,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  assertOurs(path);
  const body = JSON.stringify(argument);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    http
      .request({ socketPath: path, method: 'POST', path: `/${verb}`, headers, agent: false, signal })
      .once('response', resolve)
      .once('error', reject)
      .end(body);
  });
  return JSON.parse(await textOf(response));
}

/** In a folder that others may write to, such as /tmp, somebody else could answer in the name of the service. */
function assertOurs(path: string): void {
  const { uid } = statSync(dirname(path));
  const own = process.getuid?.() ?? uid;
  if (own !== 0 && uid !== own) throw new ForeignFolderError(path);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += piece;
    if (text.length > MAX_BYTES) throw new ControlError('the answer is too long');
  }
  return text;
}

function explain(cause: unknown, path: string): string {
  const isCut = codeOf(cause) === 'ECONNRESET';
  if (isCut) return `the service at ${path} ended before it answered`;
  return `the service at ${path} cannot be asked: ${messageOf(cause)}`;
}
