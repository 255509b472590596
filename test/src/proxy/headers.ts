// Requests and answers that consist of headers, for the tests of src/proxy.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

/** A request with these headers, as Node hands it over. */
export function requestWith(...pairs: readonly (readonly [string, string])[]): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.rawHeaders = pairs.flat();
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    const before = request.headers[key];
    request.headers[key] = before === undefined ? value : `${String(before)}, ${value}`;
  }
  return request;
}

/** Raw headers as the parser of answers hands them over. */
export function rawHeaders(...pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.flat();
}
