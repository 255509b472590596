// flow-proxy with two workers in front of an upstream that keeps every byte.

import { type FlowProxy, type Scope, startFlowProxy } from './flow-proxy.ts';
import type { RawConnection } from './raw-connection.ts';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.ts';

export interface RecordedProxy {
  readonly proxy: FlowProxy;
  readonly upstream: RecordingUpstream;
}

const CREDENTIALS = ['one', 'two', 'three'].map((name) => ({
  name,
  clientId: name,
  clientSecret: `secret-of-${name}-0123456789abcdef`,
  tenant: 'tenant',
}));

export async function startRecordedProxy(
  settings: Readonly<Record<string, string | number>> = {},
  scope?: Scope,
): Promise<RecordedProxy> {
  const upstream = await startRecordingUpstream(scope);
  const proxy = await startFlowProxy({ upstream: upstream.url, credentials: CREDENTIALS, settings }, scope);
  return { proxy, upstream };
}

/** An answer as a client reads it. */
export interface ReadAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** The error's code, in either dialect; undefined when it is no error of ours. */
  readonly code: string | undefined;
}

/** Reads one answer with a Content-Length, as all are that tests ask for on a raw connection. */
export async function readAnswer(connection: RawConnection): Promise<ReadAnswer> {
  const { head, body } = await connection.readMessage();
  return answerOf(head, body.toString('latin1'));
}

/** All answers among the bytes of a connection that has ended. */
export function answersOf(bytes: Buffer): ReadAnswer[] {
  const answers: ReadAnswer[] = [];
  let rest = bytes.toString('latin1');
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`no answer: ${rest}`);
    const head = rest.slice(0, end);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    answers.push(answerOf(head, rest.slice(end + 4, end + 4 + length)));
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

function answerOf(head: string, body: string): ReadAnswer {
  return {
    status: Number(head.split(' ')[1]),
    head,
    body,
    code: /"code":"([^"]+)"/.exec(body)?.[1],
  };
}
