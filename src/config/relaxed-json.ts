// The one place that knows json5: JSON as people write it, with comments and trailing commas.
// Whose file it is, and what must be in it, is up to the caller.
import json5 from 'json5';

/** What was read, or where it stopped being JSON. */
export type RelaxedJson = { readonly value: unknown } | { readonly fault: string };

/** Parses JSON5; a fault names line and column but never quotes the text, which may be secret. */
export function parseRelaxedJson(text: string): RelaxedJson {
  try {
    return { value: json5.parse<unknown>(text) };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return { fault: `not valid JSON${positionOf(cause)}` };
  }
}

function positionOf(cause: SyntaxError): string {
  if (!('lineNumber' in cause) || !('columnNumber' in cause)) return '';
  return ` (line ${String(cause.lineNumber)}, column ${String(cause.columnNumber)})`;
}
