// Clients that keep a service busy while something happens to it: keep-alive loops that lose nothing, and long streams
// of which every byte is known.
import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { call, jsonPost } from './http-call.ts';
import { knownStream } from './known-upstream.ts';

const ECHO = '/v1/echo';
/** Steady load, not all that the machine can do: new workers have to boot beside it. */
const PACE_MS = 10;

/** Loops of keep-alive POSTs, each body echoed by the upstream, until they are stopped. */
export class PostLoops {
  answered = 0;
  /** What went wrong, if anything. */
  readonly faults: string[] = [];
  readonly #loops: Promise<void>[];
  #isOver = false;

  /** @param path of an upstream that echoes bodies; elsewhere only the status is looked at */
  constructor(url: string, clients: number, path: string = ECHO) {
    this.#loops = Array.from({ length: clients }, (_, client) => this.#loop(`${url}${path}`, client));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #loop(url: string, client: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; !this.#isOver; count += 1) {
      const sent = jsonPost({ model: 'gpt-4o', messages: [{ role: 'user', content: `${client}.${count}` }] });
      const { status, text } = await call(url, { ...sent, agent }).catch((cause: Error) => ({
        status: cause.message,
        text: '',
      }));
      if (status === 200 && (text === sent.body || !url.endsWith(ECHO))) this.answered += 1;
      else this.faults.push(`${status}: ${text.slice(0, 200)}`);
      await pause(PACE_MS);
    }
    agent.destroy();
  }
}

/** Opens long streams, each on a connection of its own. @returns resolves with what is wrong with any of them */
export async function readStreams(
  url: string,
  streams: number,
  events: number,
  intervalMs: number,
): Promise<string[]> {
  const read = async (index: number): Promise<string[]> => {
    const name = `s${index}`;
    const target = `${url}/v1/stream/${name}?events=${events}&interval=${intervalMs}`;
    const got = await call(target).catch((cause: Error) => ({ status: 0, text: cause.message }));
    const isWhole = got.status === 200 && got.text === knownStream(name, events);
    return isWhole ? [] : [`${name}: ${got.status}, ${got.text.length} characters: ${got.text.slice(-200)}`];
  };
  return (await Promise.all(Array.from({ length: streams }, (_, index) => read(index)))).flat();
}
