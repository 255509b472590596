// The control socket: HTTP with JSON on a unix socket that only the service's user (and root) may open. What can be
// asked is a table of verbs; `flow-proxy status`, `reload` and the like are its clients (src/control/client.ts).
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LONGEST_SOCKET_PATH, type ServePath } from '../control/socket-path.ts';
import { codeOf, messageOf } from '../errors.ts';
import type { Logger } from '../logging/logger.ts';

/** What a verb is given: the members of a JSON object. */
export type VerbArgument = Readonly<Record<string, unknown>>;

/** Does what is asked, and answers with what becomes JSON. */
export type Verb = (argument: VerbArgument) => object | Promise<object>;

const MAX_BYTES = 64 * 1024;
const LAST_ANSWERS_MS = 2_000;

export class ControlServer {
  readonly path: string;
  readonly #server: Server;
  readonly #inode: bigint;
  readonly #answers = new Set<Promise<void>>();

  /**
   * Listens at the first path where that is possible.
   * @throws Error with every reason when it is nowhere
   */
  static async open(
    paths: readonly ServePath[],
    verbs: Readonly<Record<string, Verb>>,
    log: Logger,
  ): Promise<ControlServer> {
    const reasons: string[] = [];
    for (const { path, hasOwnFolder } of paths) {
      const server = http.createServer();
      try {
        if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
          throw new Error(`longer than ${LONGEST_SOCKET_PATH} bytes`);
        }
        if (hasOwnFolder) prepareFolder(dirname(path));
        await listenAt(server, path);
        return new ControlServer(server, path, verbs, log);
      } catch (cause) {
        reasons.push(`${path}: ${messageOf(cause)}`);
      }
    }
    throw new Error(reasons.join('; '));
  }

  private constructor(server: Server, path: string, verbs: Readonly<Record<string, Verb>>, log: Logger) {
    this.path = path;
    this.#server = server;
    this.#inode = statSync(path, { bigint: true }).ino;
    server.on('request', (request, response) => {
      const answer = answerRequest(request, response, verbs).catch((cause) =>
        log.error({ msg: `Control socket: ${messageOf(cause)}` }),
      );
      this.#answers.add(answer);
      void answer.then(() => this.#answers.delete(answer));
    });
  }

  /** Whoever waits for an answer gets it first. */
  async close(): Promise<void> {
    this.#server.close();
    // A client that does not read its answer is not waited for.
    const given = new AbortController();
    const late = pause(LAST_ANSWERS_MS, undefined, { signal: given.signal }).catch(() => {});
    await Promise.race([Promise.all(this.#answers), late]);
    // A timer that is left would hold up the end of the process.
    given.abort();
    this.#server.closeAllConnections();
    this.#removeOwn();
  }

  /** A successor may have put its own in the same place. */
  #removeOwn(): void {
    try {
      if (statSync(this.path, { bigint: true }).ino === this.#inode) unlinkSync(this.path);
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') throw cause;
    }
  }
}

/** Makes a folder of ours, whose parent must be there, and trusts none that somebody else made in its place. */
function prepareFolder(folder: string): void {
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new Error('its folder belongs to another user, or is open to others');
  }
}

async function listenAt(server: Server, path: string): Promise<void> {
  if (await isStale(path)) unlinkSync(path);
  // Nobody may connect between the making of the socket and a change of its mode.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await once(server, 'listening');
  chmodSync(path, 0o600);
}

/** A killed service leaves its socket behind. */
async function isStale(path: string): Promise<boolean> {
  const probe = connect(path);
  try {
    await once(probe, 'connect');
    throw new Error('another service listens there');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    if (codeOf(cause) === 'ECONNREFUSED') return lstatSync(path).isSocket();
    throw cause;
  } finally {
    probe.destroy();
  }
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  verbs: Readonly<Record<string, Verb>>,
): Promise<void> {
  const name = (request.url ?? '').slice(1);
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  const argument = await argumentOf(request);
  if (verb === undefined) reply(response, 404, { error: `there is no verb "${name}"` });
  else if (argument === null) reply(response, 400, { error: 'the body is not a JSON object' });
  else reply(response, 200, await verb(argument));
  if (!response.destroyed) await once(response, 'close');
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** null when it cannot be read. */
async function argumentOf(request: IncomingMessage): Promise<VerbArgument | null> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) {
    text += piece;
    if (text.length > MAX_BYTES) return null;
  }
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is VerbArgument {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
