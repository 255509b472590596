// Under which of a few names requests are counted, whatever paths clients come up with.

const LOCAL = ['/', '/health', '/healthz', '/readyz'];
const FORWARDED = [
  ...[
    '/v1/chat/completions',
    '/v1/completions',
    '/v1/responses',
    '/v1/messages',
    '/v1/messages/count_tokens',
  ],
  ...['/v1/models', '/v1/embeddings', '/v1/images', '/v1/audio', '/v1/realtime', '/v1/files', '/v1/batches'],
];
const KNOWN: ReadonlySet<string> = new Set([...LOCAL, ...FORWARDED]);

/** The path itself where it is one of the API's; with a star for what is below one; else `other`. */
export function metricRoute(path: string): string {
  if (KNOWN.has(path)) return path;
  const group = FORWARDED.find((known) => path.startsWith(known) && path[known.length] === '/');
  return group === undefined ? 'other' : `${group}/*`;
}
