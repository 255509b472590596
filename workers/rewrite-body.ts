// Piscina task: rewrites one large request body off the event loop of the cluster worker that owns the thread.
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { inOwnMemory } from '../src/own-memory.ts';
import { readBodyFacts } from '../src/proxy/body-facts.ts';
import type { RewriteTask, Rewritten } from '../src/proxy/rewrite/body-rewriter.ts';
import { cutJson } from '../src/proxy/rewrite/cut-json.ts';

/** Runs in the thread; piscina finds it by its name. Its memory goes back without being copied. */
export function rewriteBody({ pieces, paths }: RewriteTask): ReturnType<typeof move> {
  const rewritten = cutJson(Buffer.concat(pieces), paths);
  const facts = readBodyFacts(rewritten);
  const body = inOwnMemory(rewritten);
  const value: Rewritten = { body, facts };
  return move({ [transferableSymbol]: [body.buffer], [valueSymbol]: value });
}
