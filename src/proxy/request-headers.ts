// The headers of a client's request as they go to the upstream: everything but hop-by-hop headers, the client's own
// credentials and the framing. Authorization is added per attempt, since it is the lease's.
import type { IncomingMessage } from 'node:http';
import { namedByConnection, requestHeaderRules, withoutHeaders } from './header-rules.ts';

const RULES = requestHeaderRules();

/** A flat list of names and values, in the client's order and spelling. */
export function headersForUpstream({ rawHeaders }: IncomingMessage, removed: readonly string[]): string[] {
  const headers: string[] = [];
  let named: readonly string[] = removed;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    const fate = RULES.fateOf(name);
    if (fate === 'pass' || fate === 'requestId') headers.push(name, value);
    else if (fate === 'connection') named = [...named, ...namedByConnection(value)];
  }
  return named.length === 0 ? headers : withoutHeaders(headers, named);
}

/** Whether the message is framed to carry a body; its length may still be zero. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** The client's own request id when it is one that can be logged and sent back; undefined otherwise. */
export function clientRequestId({ headers }: IncomingMessage): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined;
}
