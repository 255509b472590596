// What the answering routes share: the head of an event stream, named events, and the token estimate.

export const EVENT_STREAM: Readonly<Record<string, string>> = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  'x-accel-buffering': 'no',
};

/** One server-sent event whose name is also its JSON `type`. */
export function namedEvent(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** The usual estimate of four bytes per token. */
export function tokensIn(bytes: number): number {
  return Math.ceil(bytes / 4);
}

/** A value that may come alone or as a list, as a list. */
export function lineup(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
