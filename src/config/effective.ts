// What is in effect after loading, setting by setting, in words that may be shown to anybody.
import { redactUrl } from './redact-url.ts';
import { flagOf, SETTING_NAMES, SETTINGS, variableOf } from './schema.ts';
import type { SettingName } from './setting-values.ts';
import type { Settings } from './settings.ts';
import type { GivenSettings, Source } from './sources.ts';

/** One setting as it is in effect; its value holds no secret and is empty when not set. */
export interface EffectiveSetting {
  readonly name: SettingName;
  readonly variable: string;
  readonly flag: string;
  readonly value: string;
  readonly source: Source;
}

/**
 * Lists all settings with their values and sources.
 * @param proxyVariable the usual proxy variable that decided, such as HTTPS_PROXY
 */
export function effectiveSettings(
  settings: Settings,
  given: GivenSettings,
  proxyVariable: string | undefined,
): EffectiveSetting[] {
  const resolved = resolvedValues(settings, proxyVariable);
  return SETTING_NAMES.map((name) => ({
    name,
    variable: variableOf(name),
    flag: flagOf(name),
    value: resolved[name] ?? given.get(name)?.text ?? SETTINGS[name].default,
    source: given.get(name)?.source ?? 'default',
  }));
}

/** Values that say more resolved than as they were written. */
function resolvedValues(
  settings: Settings,
  proxyVariable: string | undefined,
): Partial<Record<SettingName, string>> {
  const { clients, log, outboundProxyUrl } = settings;
  const proxy = outboundProxyUrl === null ? 'none' : redactUrl(outboundProxyUrl);
  return {
    targetUrl: settings.targetUrl,
    secretsFile: settings.secretsFile,
    rewriteRulesFile: settings.rewriteRulesFile ?? '',
    upstreamCaFile: settings.upstreamCaFile ?? '',
    upstreamProxy: proxyVariable === undefined ? proxy : `${proxy} (${proxyVariable})`,
    clientKeysFile: clients.keysFile ?? '',
    tlsCertFile: clients.tls?.certFile ?? '',
    tlsKeyFile: clients.tls?.keyFile ?? '',
    logLevel: log.level,
    logFile: log.rotation === 'none' ? '' : log.file,
    // Nothing is rotated where there is no file: no word that the setting accepts says so.
    ...(log.rotation === 'none' ? {} : { logRotation: log.rotation }),
    logRollSizeMb: String(log.rollBytes / 1024 / 1024),
  };
}
