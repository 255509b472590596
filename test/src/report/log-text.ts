// Log lines as flow-proxy writes them.

/** One line of an exchange, with its newline. */
export function exchangeLine(fields: Readonly<Record<string, unknown>> = {}): string {
  const line = {
    level: 'INFO',
    time: '2026-11-24T10:00:00.000Z',
    worker: 0,
    msg: "Request processed successfully. Using configuration 'one'. POST /v1/messages 200 in 100 ms",
    requestId: 'id',
    method: 'POST',
    path: '/v1/messages',
    status: 200,
    outcome: 'completed',
    credential: 'one',
    attempts: 1,
    bytesIn: 10,
    bytesOut: 20,
    ttfbMs: 50,
    durationMs: 100,
    ...fields,
  };
  return `${JSON.stringify(line)}\n`;
}

/** One line of anything else. */
export function eventLine(level: string, msg: string, time: string = '2026-11-24T10:00:00.000Z'): string {
  return `${JSON.stringify({ level, time, msg })}\n`;
}
