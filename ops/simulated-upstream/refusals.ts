// The two shapes in which the upstream says no: LiteLLM's (OpenAI style) and Anthropic's.

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** An error in LiteLLM's shape; it writes absent values as the text "None" and the code as a string. */
export function liteLlmError(status: number, message: string, type = 'None'): object {
  return { error: { message, type, param: 'None', code: String(status) } };
}

/** An error in Anthropic's shape. */
export function anthropicError(status: number, message: string): object {
  return { type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message } };
}

/** An error in the shape that clients of this path expect. */
export function errorFor(path: string, status: number, message: string): object {
  if (path.startsWith('/v1/messages')) return anthropicError(status, message);
  return liteLlmError(status, message, status === 400 ? 'invalid_request_error' : 'None');
}
