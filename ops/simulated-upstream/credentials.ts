// The credentials the simulated upstream accepts: their shape, making random ones, reading secrets.json.
import { randomBytes, randomUUID } from 'node:crypto';
import json5 from 'json5';
import { isJsonObject, type JsonObject } from './json.ts';

export interface SimulatedCredential {
  readonly name?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenant: string;
}

/** Makes `count` random credentials, for the demo and for tests. */
export function generateCredentials(count: number): SimulatedCredential[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `simulated-${index + 1}`,
    clientId: randomUUID(),
    clientSecret: randomBytes(32).toString('base64url'),
    tenant: 'simulated',
  }));
}

/** Reads the text of a secrets.json; throws an error that names the wrong entry but no secret. */
export function parseCredentials(text: string): SimulatedCredential[] {
  const entries = parseRelaxed(text);
  if (!Array.isArray(entries) || entries.length === 0) {
    throw new Error('secrets: expected a JSON array with at least one entry');
  }
  return entries.map(parseEntry);
}

/** With comments, which a secrets.json may hold. */
function parseRelaxed(text: string): unknown {
  try {
    return json5.parse(text);
  } catch {
    // The parser's own words quote the text.
    throw new Error('secrets: not valid JSON');
  }
}

function parseEntry(entry: unknown, index: number): SimulatedCredential {
  if (!isJsonObject(entry)) throw new Error(`secrets[${index}]: expected an object`);
  const name = entry['name'];
  return {
    ...(typeof name === 'string' ? { name } : {}),
    clientId: requiredString(entry, 'clientId', index),
    clientSecret: requiredString(entry, 'clientSecret', index),
    tenant: requiredString(entry, 'tenant', index),
  };
}

function requiredString(entry: JsonObject, key: string, index: number): string {
  const value = entry[key];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`secrets[${index}].${key}: expected a non-empty string`);
}
