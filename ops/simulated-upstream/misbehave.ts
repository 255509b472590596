// Carries out the faults that come instead of an answer, and hands those that strike during one to it.
import type { Socket } from 'node:net';
import { type Answer, AnswerOver } from './answer.ts';
import type { Connections } from './connections.ts';
import type { Fault } from './faults.ts';
import { pause } from './pause.ts';
import type { Recording } from './record.ts';
import { errorFor } from './refusals.ts';

const GARBAGE = Buffer.from('\u0000\u0001\u0016 this is not HTTP \u00ff\r\n\r\n', 'latin1');

export interface Victim {
  readonly path: string;
  readonly socket: Socket;
  readonly connections: Connections;
  readonly recording: Recording;
  readonly answer: Answer;
}

/** Applies the fault. Returns when an answer is still to be given; throws AnswerOver when none is. */
export async function misbehave(fault: Fault, victim: Victim): Promise<void> {
  victim.recording.update({ fault: fault.type });
  switch (fault.type) {
    case 'delay':
      return pause(fault.ms);
    case 'status':
      await answerStatus(fault, victim);
      throw new AnswerOver();
    case 'stall':
    case 'reset':
      if (fault.afterChunks === undefined) breakOff(fault, victim);
      return victim.answer.deliverWith(fault);
    case 'cut':
    case 'slowHeaders':
    case 'badLength':
      return victim.answer.deliverWith(fault);
    case 'close':
    case 'garbage':
      return breakOff(fault, victim);
  }
}

/** Ends, or abandons, a connection that has not been sent a byte of an answer. Always throws AnswerOver. */
export function breakOff(fault: Fault, { socket, connections, recording }: Omit<Victim, 'answer'>): never {
  if (fault.type !== 'stall') recording.finish('faulted');
  if (fault.type === 'close') socket.destroy();
  if (fault.type === 'reset') connections.resetNow(socket);
  if (fault.type === 'garbage') {
    socket.write(GARBAGE);
    connections.cut(socket);
  }
  throw new AnswerOver();
}

/** The body of a `status` fault as text, with its content type. */
export function statusBody(
  fault: Extract<Fault, { type: 'status' }>,
  path: string,
): [text: string, type: string] {
  if (typeof fault.body === 'string') return [fault.body, 'text/plain'];
  const body = fault.body ?? errorFor(path, fault.status, `Simulated fault: status ${fault.status}`);
  return [JSON.stringify(body), 'application/json'];
}

async function answerStatus(fault: Extract<Fault, { type: 'status' }>, victim: Victim): Promise<void> {
  const [text, type] = statusBody(fault, victim.path);
  await victim.answer.whole(fault.status, text, { 'content-type': type, ...fault.headers });
  victim.recording.finish('faulted');
}
