// Reads fault rules that came as JSON over /_control; every complaint names the place and what belongs there.
import type { Fault, FaultPhase, FaultRule } from './faults.ts';
import { isJsonObject, type JsonObject } from './json.ts';

const RULE_KEYS = ['id', 'credential', 'path', 'model', 'times', 'phase', 'fault'];

const FAULT_KEYS: Readonly<Record<Fault['type'], readonly string[]>> = {
  status: ['status', 'headers', 'body'],
  delay: ['ms'],
  stall: ['afterChunks'],
  cut: ['afterChunks', 'afterBytes'],
  reset: ['afterChunks'],
  close: [],
  slowHeaders: ['intervalMs'],
  badLength: ['extraBytes'],
  garbage: [],
};

export class FaultRuleError extends Error {}

/** Checks a JSON value and answers the rules in it; throws FaultRuleError. */
export function parseFaultRules(value: unknown): FaultRule[] {
  if (!Array.isArray(value)) throw new FaultRuleError('faults: expected a JSON array of rules');
  return value.map((rule: unknown, index) => parseRule(rule, `faults[${index}]`));
}

function parseRule(value: unknown, at: string): FaultRule {
  if (!isJsonObject(value)) throw new FaultRuleError(`${at}: expected an object`);
  refuseOtherKeys(value, RULE_KEYS, at);
  return {
    ...optionalString(value, 'id', at),
    ...optionalString(value, 'credential', at),
    ...optionalString(value, 'path', at),
    ...optionalString(value, 'model', at),
    ...optionalCount(value, 'times', at),
    ...optionalPhase(value, at),
    fault: parseFault(value['fault'], `${at}.fault`),
  };
}

function parseFault(value: unknown, at: string): Fault {
  if (!isJsonObject(value)) throw new FaultRuleError(`${at}: expected an object`);
  const type = value['type'];
  if (!isFaultType(type)) {
    throw new FaultRuleError(`${at}.type: expected one of ${Object.keys(FAULT_KEYS).join(', ')}`);
  }
  refuseOtherKeys(value, ['type', ...FAULT_KEYS[type]], at);
  switch (type) {
    case 'status':
      return { type, status: statusCode(value, at), ...headersAndBody(value, at) };
    case 'delay':
      return { type, ms: count(value, 'ms', at) };
    case 'cut':
      return parseCut(value, at);
    case 'stall':
    case 'reset':
      return { type, ...optionalCount(value, 'afterChunks', at) };
    case 'slowHeaders':
      return { type, ...optionalCount(value, 'intervalMs', at) };
    case 'badLength':
      return { type, ...optionalCount(value, 'extraBytes', at) };
    case 'close':
    case 'garbage':
      return { type };
  }
}

function parseCut(value: JsonObject, at: string): Fault {
  if ('afterChunks' in value === 'afterBytes' in value) {
    throw new FaultRuleError(`${at}: expected exactly one of afterChunks, afterBytes`);
  }
  if ('afterChunks' in value) return { type: 'cut', afterChunks: count(value, 'afterChunks', at) };
  return { type: 'cut', afterBytes: count(value, 'afterBytes', at) };
}

function statusCode(value: JsonObject, at: string): number {
  const status = count(value, 'status', at);
  if (status < 200 || status > 599) throw new FaultRuleError(`${at}.status: expected 200 to 599`);
  return status;
}

function headersAndBody(value: JsonObject, at: string): { headers?: Record<string, string>; body?: unknown } {
  const body = 'body' in value ? { body: value['body'] } : {};
  const given = value['headers'];
  if (given === undefined) return body;
  if (!isJsonObject(given)) throw new FaultRuleError(`${at}.headers: expected an object`);
  const headers: Record<string, string> = {};
  for (const [name, text] of Object.entries(given)) {
    if (typeof text !== 'string') throw new FaultRuleError(`${at}.headers["${name}"]: expected a string`);
    headers[name] = text;
  }
  return { headers, ...body };
}

function optionalPhase(value: JsonObject, at: string): { phase?: FaultPhase } {
  const phase = value['phase'];
  if (phase === undefined) return {};
  if (phase === 'headers' || phase === 'body') return { phase };
  throw new FaultRuleError(`${at}.phase: expected "headers" or "body"`);
}

function optionalString<Key extends string>(
  value: JsonObject,
  key: Key,
  at: string,
): { [K in Key]?: string } {
  const text = value[key];
  if (text === undefined) return {};
  if (typeof text !== 'string') throw new FaultRuleError(`${at}.${key}: expected a string`);
  const found: { [K in Key]?: string } = {};
  return Object.assign(found, { [key]: text });
}

function optionalCount<Key extends string>(value: JsonObject, key: Key, at: string): { [K in Key]?: number } {
  const found: { [K in Key]?: number } = {};
  return key in value ? Object.assign(found, { [key]: count(value, key, at) }) : found;
}

function count(value: JsonObject, key: string, at: string): number {
  const number = value[key];
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw new FaultRuleError(`${at}.${key}: expected a whole number of at least 0`);
}

function refuseOtherKeys(value: JsonObject, allowed: readonly string[], at: string): void {
  const other = Object.keys(value).find((key) => !allowed.includes(key));
  if (other === undefined) return;
  throw new FaultRuleError(`${at}: unknown property "${other}" (known: ${allowed.join(', ')})`);
}

function isFaultType(value: unknown): value is Fault['type'] {
  return typeof value === 'string' && Object.hasOwn(FAULT_KEYS, value);
}
