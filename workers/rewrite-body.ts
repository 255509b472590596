// Piscina task: rewrites one large request body off the event loop of the cluster worker that owns the thread.
import { readBodyFacts } from '../src/proxy/body-facts.ts';
import type { RewriteTask, Rewritten } from '../src/proxy/rewrite/body-rewriter.ts';
import { cutJson } from '../src/proxy/rewrite/cut-json.ts';

/** Runs in the thread; piscina finds it by its name. */
export function rewriteBody({ body, paths }: RewriteTask): Rewritten {
  const rewritten = cutJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength), paths);
  return { body: rewritten, facts: readBodyFacts(rewritten) };
}
