// Which models a request names, for keys that may use some only: in doubt it cannot be told.
import { readModels } from './body-facts.ts';
import type { Exchange } from './exchange.ts';

/**
 * All of them: by the query and by a JSON body. None for a request that names none.
 * @returns null when it cannot be told: the body is no plain JSON object, or an upgrade opens a stream of messages
 * without naming its model
 */
export function modelsOf(exchange: Exchange): readonly string[] | null {
  const { body, query, request } = exchange;
  const named = modelsOfQuery(query);
  if (body.type === 'none' || (body.type === 'kept' && body.bytes.length === 0)) {
    return named.length === 0 && request.headers.upgrade !== undefined ? null : named;
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const inBody = body.type === 'kept' && /^identity$/i.test(encoding) ? readModels(body.bytes) : null;
  return inBody === null ? null : [...named, ...inBody];
}

/** The models that a query string names. */
export function modelsOfQuery(query: string): string[] {
  return [...new URLSearchParams(query)]
    .filter(([name]) => name.toLowerCase() === 'model')
    .flatMap(([, value]) => value.split(',').map((part) => part.trim()));
}
