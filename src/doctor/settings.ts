// Can the settings be used, and what they point to apart from the credentials?
import { readKeysFile } from '../clients/keys-file.ts';
import { describeCertificate, readTlsPair } from '../clients/tls-pair.ts';
import { type LoadedSettings, type LoadInput, loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigError } from '../errors.ts';
import { makeGeneration } from '../generation.ts';
import { type Finding, fromSentence, ok, warn } from './finding.ts';

export interface SettingsExamined {
  /** null when they cannot be used: what depends on them cannot be looked at. */
  readonly settings: Settings | null;
  /** PEM text of certificate authorities to trust besides Node's own; null when there are none that can be used. */
  readonly upstreamCa: string | null;
  readonly findings: readonly Finding[];
}

const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS = 14;
const CORRECT = 'correct it; `flow-proxy config` shows where each value comes from';

export function checkSettings(input: LoadInput, now: number): SettingsExamined {
  let loaded: LoadedSettings;
  try {
    loaded = loadSettings(input);
  } catch (cause) {
    return { settings: null, upstreamCa: null, findings: problemsOf('settings', cause, CORRECT) };
  }
  const { settings, effective, warnings } = loaded;
  const given = effective.filter(({ source }) => source !== 'default').length;
  const warned = warnings.map((warning) => fromSentence('settings', 'warn', warning, CORRECT));
  const summary = ok('settings', `valid; ${given} given, the others have their defaults`);
  const { upstreamCa, findings } = checkFiles(settings);
  return {
    settings,
    upstreamCa,
    findings: [summary, ...warned, ...findings, ...checkKeys(settings), ...checkTls(settings, now)],
  };
}

/** Rewrite rules and certificate authorities. */
function checkFiles(settings: Settings): Omit<SettingsExamined, 'settings'> {
  try {
    return { upstreamCa: makeGeneration(1, settings).upstreamCa, findings: [] };
  } catch (cause) {
    return { upstreamCa: null, findings: problemsOf('settings', cause, CORRECT) };
  }
}

function checkKeys({ clients: { keysFile } }: Settings): readonly Finding[] {
  if (keysFile === null) return [];
  try {
    const { length } = readKeysFile(keysFile);
    if (length > 0) return [ok('client keys', `${length} in ${keysFile}`)];
    const fix = 'make one with `flow-proxy keys add NAME`';
    return [warn('client keys', `${keysFile} holds none: every request is turned away`, fix)];
  } catch (cause) {
    return problemsOf('client keys', cause, 'make one with `flow-proxy keys add NAME`');
  }
}

function checkTls({ clients: { tls } }: Settings, now: number): readonly Finding[] {
  if (tls === null) return [];
  try {
    const pair = readTlsPair(tls, now);
    if (pair.validUntil - now > CERTIFICATE_DAYS * DAY_MS)
      return [ok('certificate', describeCertificate(pair))];
    const fix = `renew ${tls.certFile}, then \`flow-proxy reload\``;
    return [warn('certificate', `ends soon: ${describeCertificate(pair)}`, fix)];
  } catch (cause) {
    return problemsOf('certificate', cause, 'give a certificate and the key that belongs to it');
  }
}

/** @throws what is no ConfigError */
export function problemsOf(check: string, cause: unknown, otherwise: string): Finding[] {
  if (!(cause instanceof ConfigError)) throw cause;
  return cause.problems.map((problem) => fromSentence(check, 'fail', problem, otherwise));
}
