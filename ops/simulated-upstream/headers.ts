// Looking into recorded headers, and hiding the token in them before they leave the process.
import type { HeaderPair } from './record.ts';

/** Every value of the header, in order of arrival; the name in any case. */
export function headerValues(headers: readonly HeaderPair[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** The same headers with the credentials of Authorization replaced: the token holds the client secret. */
export function redacted(headers: readonly HeaderPair[]): HeaderPair[] {
  return headers.map(([name, value]): HeaderPair => {
    return [name, name.toLowerCase() === 'authorization' ? redactValue(value) : value];
  });
}

function redactValue(value: string): string {
  return /^bearer /i.test(value) ? 'Bearer <redacted>' : '<redacted>';
}
