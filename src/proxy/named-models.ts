// Which models a request names, for keys that may use some only: in doubt it cannot be told.
import { readModels } from './body-facts.ts';
import type { Exchange } from './exchange.ts';

/**
 * All of them: by the path, the query and a JSON body. None for a request that names none.
 * @returns null when it cannot be told: the body is no plain JSON object, or an upgrade opens a stream of messages
 * without naming its model
 */
export function modelsOf(exchange: Exchange): readonly string[] | null {
  const { body, path, query, request } = exchange;
  const inPath = modelsOfPath(path);
  if (inPath === null) return null;
  const named = [...inPath, ...modelsOfQuery(query)];
  if (body.type === 'none' || (body.type === 'kept' && body.length === 0)) {
    return named.length === 0 && request.headers.upgrade !== undefined ? null : named;
  }
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const inBody = body.type === 'kept' && /^identity$/i.test(encoding) ? readModels(body.bytes) : null;
  return inBody === null ? null : [...named, ...inBody];
}

/** Where LiteLLM has the model in the path, in the ways of Azure, Google and Bedrock; it then goes before the body's. */
const IN_PATH = /\/(?:deployments|engines|models?)\/+([^/]+)/g;

/**
 * The models that a path names, such as `/openai/deployments/MODEL/chat/completions` or
 * `/v1beta/models/MODEL:generateContent`.
 * @returns null when its encoding is broken
 */
function modelsOfPath(path: string): readonly string[] | null {
  try {
    return [...decodeURIComponent(path).matchAll(IN_PATH)].map(([, name = '']) =>
      name.replace(/:[a-z]+$/i, ''),
    );
  } catch {
    return null;
  }
}

/** The models that a query string names. */
export function modelsOfQuery(query: string): string[] {
  return [...new URLSearchParams(query)]
    .filter(([name]) => name.toLowerCase() === 'model')
    .flatMap(([, value]) => value.split(',').map((part) => part.trim()));
}
