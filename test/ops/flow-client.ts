// A client of the simulated upstream for its tests: mints Flow's token with jose and makes plain requests.
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { CompactSign } from 'jose';
import type { SimulatedCredential, SimulatedUpstream } from '../../ops/simulated-upstream/server.ts';

/** Flow's token for a credential; signed with `secret` where a test needs a wrong signature. */
export async function mintToken(
  { clientId, clientSecret, tenant }: SimulatedCredential,
  secret: string = clientSecret,
): Promise<string> {
  const payload = JSON.stringify({ clientId, clientSecret, tenant });
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret));
}

export interface Call {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export class FlowClient {
  readonly #upstream: SimulatedUpstream;
  readonly token: string;

  constructor(upstream: SimulatedUpstream, token: string) {
    this.#upstream = upstream;
    this.token = token;
  }

  /** Starts a request on a connection of its own and leaves its body and its end to the caller. */
  start(path: string, { method = 'GET', headers = {} }: Call = {}): ClientRequest {
    const authorization = `Bearer ${this.token}`;
    return request(this.#upstream.url + path, {
      method,
      agent: false,
      headers: { authorization, ...headers },
    });
  }

  /** Makes a request on a connection of its own and leaves the answer to the caller. */
  open(path: string, call: Call = {}): ClientRequest {
    return this.start(path, call).end(call.body);
  }

  /** Resolves with the head of the answer; rejects when the connection breaks before. */
  head(call: ClientRequest): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      call.once('response', resolve);
      call.on('error', reject);
    });
  }

  /** Makes a request and reads the whole answer; rejects when either breaks. */
  async fetch(path: string, call: Call = {}): Promise<Reply> {
    const response = await this.head(this.open(path, call));
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(Buffer.from(piece));
    const { statusCode = 0, headers } = response;
    return { status: statusCode, headers, text: Buffer.concat(pieces).toString('utf8') };
  }

  /** Posts JSON. */
  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.fetch(path, jsonCall(body, headers));
  }
}

/** A POST of JSON. */
export function jsonCall(body: unknown, headers: Readonly<Record<string, string>> = {}): Call {
  return {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

/** A chat request that streams; directives such as `chunks:3` go into the text. */
export function chatStream(text: string): Call {
  return jsonCall({ model: 'gpt-4o', stream: true, messages: [{ role: 'user', content: text }] });
}
