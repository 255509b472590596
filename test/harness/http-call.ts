// Plain HTTP requests by node:http, for tests that look at status, raw headers and exact bytes.
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

/** What is asked. */
export interface Call {
  readonly method?: string;
  /** As a record, or as a flat list where order and repetition count. */
  readonly headers?: Readonly<Record<string, string>> | readonly string[];
  readonly body?: string | Buffer;
  /** Without one every call has a connection of its own. */
  readonly agent?: Agent;
}

/** What came back, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

/** Starts a request and leaves the rest to the caller. */
export function startCall(url: string, { method = 'GET', headers = {}, agent }: Call = {}): ClientRequest {
  return request(url, {
    method,
    headers: Array.isArray(headers) ? [...headers] : { ...headers },
    agent: agent ?? false,
  });
}

/** Resolves with the head of the answer; rejects when the connection breaks before. */
export function openCall(url: string, call: Call = {}): Promise<IncomingMessage> {
  const outgoing = startCall(url, call);
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject).end(call.body);
  });
}

/** Resolves with the whole answer; rejects when it breaks off. */
export async function call(url: string, options: Call = {}): Promise<Answer> {
  return readAnswer(await openCall(url, options));
}

export async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(Buffer.from(piece));
  const body = Buffer.concat(pieces);
  const { statusCode: status = 0, headers, rawHeaders } = response;
  return { status, headers, rawHeaders, body, text: body.toString('utf8') };
}

/** A POST of JSON. */
export function jsonPost(
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Call & { body: string } {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** A chat request; directives of the simulated upstream (`chunks:3`, `interval:50`, `marker:X`) go into the text. */
export function chatPost(text: string, stream = false): Call & { body: string } {
  return jsonPost({ model: 'gpt-4o', stream, messages: [{ role: 'user', content: text }] });
}
