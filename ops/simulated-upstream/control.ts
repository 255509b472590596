// /_control: how another process sets faults, reads the requests and the counts. It needs no token.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './body.ts';
import { FaultRuleError, parseFaultRules } from './fault-rules.ts';
import type { FaultBook } from './faults.ts';
import { redacted } from './headers.ts';
import { parseJson } from './json.ts';
import type { Recorder, RequestRecord } from './record.ts';

export interface Stats {
  readonly openConnections: number;
  readonly activeRequests: number;
  readonly totalConnections: number;
  readonly byCredential: Readonly<Record<string, number>>;
}

export interface Controlled {
  readonly faults: FaultBook;
  readonly recorder: Recorder;
  stats(): Stats;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** Answers one request on /_control; never rejects. */
export async function control(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { content } = await readBody(request, true);
    const [path = ''] = (request.url ?? '').split('?');
    const { status, body } = replyTo(controlled, `${request.method} ${path}`, content.toString('utf8'));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch {
    response.destroy();
  }
}

function replyTo({ faults, recorder, stats }: Controlled, call: string, body: string): Reply {
  switch (call) {
    case 'PUT /_control/faults':
      return replaceFaults(faults, body);
    case 'GET /_control/faults':
      return { status: 200, body: faults.rules };
    case 'GET /_control/requests':
      return { status: 200, body: recorder.requests.map(presentable) };
    case 'DELETE /_control/requests':
      recorder.clear();
      return { status: 200, body: [] };
    case 'GET /_control/stats':
      return { status: 200, body: stats() };
    default:
      return { status: 404, body: { error: `no such control: ${call}` } };
  }
}

function replaceFaults(faults: FaultBook, body: string): Reply {
  try {
    faults.replace(parseFaultRules(parseJson(body)));
    return { status: 200, body: faults.rules };
  } catch (error) {
    if (error instanceof FaultRuleError) return { status: 400, body: { error: error.message } };
    throw error;
  }
}

function presentable(record: RequestRecord): RequestRecord {
  return { ...record, rawHeaders: redacted(record.rawHeaders) };
}
