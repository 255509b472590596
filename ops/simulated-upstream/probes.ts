// Routes the real upstream does not have, for tests of transport: an echo, a lot of bytes, an exact stream.
import type { Exchange } from './exchange.ts';
import { redacted } from './headers.ts';
import { pseudoRandomBlocks } from './pseudo-random.ts';
import { errorFor } from './refusals.ts';
import { EVENT_STREAM } from './stream.ts';

const MOST_BYTES = 2 ** 40;

/** Any method on /v1/echo: what arrived, without the token. */
export async function echo({ record, clientId, body, answer }: Exchange): Promise<void> {
  await answer.json(200, {
    method: record.method,
    url: record.url,
    headers: redacted(record.rawHeaders),
    clientId,
    bodyBytes: body.bytes,
    bodySha256: body.sha256,
  });
}

/** GET /v1/bytes?size=N&seed=S: N bytes that depend on the seed only, at the pace the client reads. */
export async function bytes({ request, answer, path }: Exchange): Promise<void> {
  const query = new URL(request.url ?? '', 'http://upstream').searchParams;
  const size = Number(query.get('size') ?? Number.NaN);
  const seed = Number(query.get('seed') ?? 1);
  if (!Number.isSafeInteger(size) || size < 0 || size > MOST_BYTES || !Number.isSafeInteger(seed)) {
    return answer.json(400, errorFor(path, 400, 'expected whole numbers: size, seed'));
  }
  await answer.open(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  for (const block of pseudoRandomBlocks(size, seed)) await answer.chunk(block);
  await answer.end();
}

/** POST /v1/sse-script: sends the given chunks, each as a socket write of its own. */
export async function sseScript({ request, json, answer, path }: Exchange): Promise<void> {
  const { chunks, intervalMs = 0 } = json;
  if (!Array.isArray(chunks) || !chunks.every(isString) || typeof intervalMs !== 'number') {
    const message = 'expected {"chunks": [base64, ...], "intervalMs": number}';
    return answer.json(400, errorFor(path, 400, message));
  }
  request.socket.setNoDelay(true);
  await answer.open(200, EVENT_STREAM);
  for (const chunk of chunks) {
    await answer.chunk(Buffer.from(chunk, 'base64'), intervalMs);
    await answer.flushed();
  }
  await answer.end();
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
