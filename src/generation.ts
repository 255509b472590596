// One immutable set of settings, as workers get it. A reload makes a new one aside and replaces the workers;
// nobody ever changes one. Credentials are not part of it: they are run-time state of the ledger.
import { type ClientAccess, clientAccess } from './clients/access.ts';
import { readText } from './config/read-text.ts';
import { loadRewriteRules, type RewriteRule } from './config/rewrite-rules.ts';
import type { InboundLimits, RetrySettings, Settings, UpstreamLimits } from './config/settings.ts';
import { ConfigError } from './errors.ts';
import { affordableConnections, openFileLimit } from './host/open-files.ts';

/** A whole bundle of authorities is a quarter of one. */
const MAX_CA_BYTES = 4 * 1024 * 1024;

/** With the number of connections that `auto` has come to. */
export interface WorkerInboundLimits extends InboundLimits {
  readonly connections: number;
}

/** What a worker needs of the settings; no path of a secret is in it. */
export interface Generation {
  readonly number: number;
  readonly host: string;
  readonly port: number;
  readonly targetUrl: string;
  readonly outboundProxyUrl: string | null;
  /** PEM text of certificate authorities to trust besides Node's own, or null. */
  readonly upstreamCa: string | null;
  readonly limits: UpstreamLimits;
  readonly retry: RetrySettings;
  readonly hasAffinity: boolean;
  readonly streamKeepAliveMs: number;
  readonly connectTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly keepBodyBytes: number;
  readonly inbound: WorkerInboundLimits;
  readonly clients: ClientAccess;
  readonly corsOrigins: readonly string[];
  readonly rewriteRules: readonly RewriteRule[];
  readonly logLevel: Settings['log']['level'];
}

/**
 * Reads what the settings point to and makes a generation of it.
 * @throws ConfigError with every problem of the rewrite rules and the CA file
 */
export function makeGeneration(number: number, settings: Settings): Generation {
  const problems: string[] = [];
  const rewriteRules = attempt(problems, () => loadRewriteRules(settings.rewriteRulesFile)) ?? [];
  const upstreamCa = attempt(problems, () => readCa(settings.upstreamCaFile)) ?? null;
  if (problems.length > 0) throw new ConfigError('settings', problems);
  const { connections } = settings.inbound;
  return {
    number,
    host: settings.host,
    port: settings.port,
    targetUrl: settings.targetUrl,
    outboundProxyUrl: settings.outboundProxyUrl,
    upstreamCa,
    limits: settings.limits,
    retry: settings.retry,
    hasAffinity: settings.hasAffinity,
    streamKeepAliveMs: settings.streamKeepAliveMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    keepAliveTimeoutMs: settings.keepAliveTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    heartbeatTimeoutMs: settings.heartbeatTimeoutMs,
    maxBodyBytes: settings.maxBodyBytes,
    keepBodyBytes: settings.keepBodyBytes,
    inbound: {
      ...settings.inbound,
      connections: connections === 'auto' ? affordableConnections(openFileLimit()) : connections,
    },
    clients: clientAccess(settings.clients),
    corsOrigins: settings.corsOrigins,
    rewriteRules,
    logLevel: settings.log.level,
  };
}

function attempt<T>(problems: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    problems.push(...cause.problems);
    return undefined;
  }
}

function readCa(path: string | null): string | null {
  if (path === null) return null;
  const where = `FLOW_PROXY_UPSTREAM_CA_FILE "${path}"`;
  const file = readText(path, MAX_CA_BYTES, 'latin1');
  if ('fault' in file) throw new ConfigError(path, [`${where}: ${file.fault}`]);
  if (!file.text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ConfigError(path, [`${where} holds no PEM certificate`]);
  }
  return file.text;
}
