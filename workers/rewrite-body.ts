// Piscina task: rewrites one large request body off the event loop of the cluster worker that owns the thread.
import type { RewriteTask } from '../src/proxy/rewrite/body-rewriter.ts';
import { cutJson } from '../src/proxy/rewrite/cut-json.ts';

/** Runs in the thread; piscina finds it by its name. */
export function rewriteBody({ body, paths }: RewriteTask): Uint8Array {
  return cutJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength), paths);
}
