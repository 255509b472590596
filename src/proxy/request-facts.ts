// What a request's body says that routing goes by, in whichever form it comes: JSON, a multipart form, or the beginning of
// a body that is streamed.
import { type BodyFacts, NO_FACTS, readBodyFacts } from './body-facts.ts';
import type { Exchange } from './exchange.ts';
import { readFormModel } from './form-model.ts';

/** In another encoding than plain bytes a body tells nothing. */
export function factsOf({ body, request: { headers } }: Exchange): BodyFacts {
  if (headers['content-encoding'] !== undefined) return NO_FACTS;
  if (body.type !== 'kept' && body.type !== 'stream') return NO_FACTS;
  const bytes = body.type === 'kept' ? body.bytes : body.beginning;
  const contentType = headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/')) return { ...NO_FACTS, model: readFormModel(bytes, contentType) };
  return readBodyFacts(bytes, body.type === 'kept');
}
