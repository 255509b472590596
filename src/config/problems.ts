// What keeps given settings from being used, or makes one of them useless, in sentences for an operator.
// Each names the place, the value without its secrets, and the fix. Pure; load.ts collects and throws.
import { isAbsolute } from 'node:path';
import type { CheckedSettings } from './check.ts';
import { type FoundVariable, parseProxyUrl } from './outbound-proxy.ts';
import { redactUrl } from './redact-url.ts';
import { SETTINGS, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';
import type { GivenSettings } from './sources.ts';
import { serviceLinkHint } from './unknown-variables.ts';

const LONGEST_QUOTE = 200;
const EVERY_ADDRESS = ['0.0.0.0', '::'];

/** The settings whose text no format accepts. */
export function refusedSettings({ refused, textOf }: CheckedSettings, given: GivenSettings): string[] {
  return [...refused].map(([name, accepts]) => {
    const hint = serviceLinkHint(textOf(name));
    return `${refusal(name, textOf(name), given)}, expected ${accepts}${hint}`;
  });
}

/** A roll size nobody asked for gives way to a small total; one that was asked for must fit. */
export function rollSizeProblems({ textOf }: CheckedSettings, given: GivenSettings): string[] {
  if (!given.has('logRollSizeMb')) return [];
  const [roll, max] = [textOf('logRollSizeMb'), textOf('logMaxSizeMb')];
  const rollBytes = SETTINGS.logRollSizeMb.format.parse(roll);
  const maxBytes = SETTINGS.logMaxSizeMb.format.parse(max);
  if (rollBytes === undefined || maxBytes === undefined || rollBytes <= maxBytes) return [];
  const limit = `at most ${quoted(max)}, the value of ${placeOf('logMaxSizeMb', given)}`;
  return [`${refusal('logRollSizeMb', roll, given)}, expected ${limit}`];
}

/** A certificate is of no use without its key, nor the other way around. */
export function tlsProblems(given: GivenSettings): string[] {
  const [certificate, key] = [given.get('tlsCertFile'), given.get('tlsKeyFile')];
  if ((certificate === undefined) === (key === undefined)) return [];
  const missing = variableOf(certificate === undefined ? 'tlsCertFile' : 'tlsKeyFile');
  return [`${(certificate ?? key)?.place} is set but ${missing} is not: both or none`];
}

/** The service and its metrics cannot share a port: whoever comes second finds it taken by ourselves. */
export function adminPortProblems({ textOf }: CheckedSettings, given: GivenSettings): string[] {
  const port = SETTINGS.port.format.parse(textOf('port'));
  const host = SETTINGS.host.format.parse(textOf('host'));
  const admin = SETTINGS.adminListen.format.parse(textOf('adminListen'));
  if (admin === undefined || admin === 'off' || host === undefined) return [];
  const isSameHost =
    admin.host === host || EVERY_ADDRESS.includes(host) || EVERY_ADDRESS.includes(admin.host);
  if (port === 0 || admin.port !== port || !isSameHost) return [];
  const taken = `the port of ${placeOf('port', given)}`;
  return [`${refusal('adminListen', textOf('adminListen'), given)}: ${port} is ${taken}; change one of them`];
}

/** A proxy variable such as HTTPS_PROXY that applies and cannot be used. */
export function proxyProblems(proxy: FoundVariable | null): string[] {
  if (proxy === null || parseProxyUrl(proxy.text) !== undefined) return [];
  const fix = `correct it, or set ${variableOf('upstreamProxy')} (${SETTINGS.upstreamProxy.format.accepts})`;
  return [`${proxy.variable}: ${quoted(proxy.text)} is not an http:// or https:// proxy URL; ${fix}`];
}

/** Log settings that another one makes useless. */
export function logWarnings(given: GivenSettings): string[] {
  const [file, dir, rotation] = [given.get('logFile'), given.get('logDir'), given.get('logRotation')];
  const warnings: string[] = [];
  if (file !== undefined && dir !== undefined && isAbsolute(file.text)) {
    warnings.push(`${dir.place} is ignored: ${file.place} is an absolute path`);
  }
  if (
    rotation !== undefined &&
    rotation.text.toLowerCase() !== 'auto' &&
    file === undefined &&
    dir === undefined
  ) {
    warnings.push(`${rotation.place} is ignored: neither a log file nor a log folder is set`);
  }
  const stdout = given.get('logStdout');
  if (stdout?.text.toLowerCase() === 'service' && file === undefined && dir === undefined) {
    warnings.push(`${stdout.place} is ignored: without a log file or folder standard output is the log`);
  }
  return warnings;
}

function refusal(name: SettingName, text: string, given: GivenSettings): string {
  return `${placeOf(name, given)}: ${quoted(text)} is not accepted`;
}

function placeOf(name: SettingName, given: GivenSettings): string {
  return given.get(name)?.place ?? `${variableOf(name)} (default)`;
}

/** A value for a message: on one line, no password, and not endless. */
function quoted(text: string): string {
  const redacted = redactUrl(text);
  const isLong = redacted.length > LONGEST_QUOTE;
  return JSON.stringify(isLong ? `${redacted.slice(0, LONGEST_QUOTE)}…` : redacted);
}
