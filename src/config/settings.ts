// The settings of one generation: resolved, absolute, immutable. Where they came from is load.ts's.
import { join, resolve } from 'node:path';
import type { SettingName, SettingValues } from './schema.ts';

/** How and where the log is written. */
export type LogSettings = {
  readonly level: SettingValues['logLevel'];
  readonly format: SettingValues['logFormat'];
  readonly retentionDays: number;
  /** Of all rolled files together. */
  readonly maxTotalBytes: number;
  /** A file is rolled when it reaches this; never more than `maxTotalBytes`. */
  readonly rollBytes: number;
} & (
  | { readonly rotation: 'none' }
  /** external: one plain file others move; internal: the base path of files rolled by us. */
  | { readonly rotation: 'external' | 'internal'; readonly file: string }
);

/** Everything an operator can decide; all paths are absolute. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Without a slash at its end. */
  readonly targetUrl: string;
  /** May hold a user and a password; null is a direct connection. */
  readonly outboundProxyUrl: string | null;
  readonly upstreamCaFile: string | null;
  readonly rewriteRulesFile: string | null;
  readonly secretsFile: string;
  readonly numWorkers: number | 'auto';
  readonly connectTimeoutMs: number;
  /** Longest silence: before the first byte of an answer, and between two of its bytes. */
  readonly clientTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly log: LogSettings;
}

/** Reads the value of one setting. */
export type ReadSetting = <Name extends SettingName>(name: Name) => SettingValues[Name];

const DEFAULT_LOG_NAME = 'app.log';

/** Builds the settings from valid values. */
export function resolveSettings(read: ReadSetting, cwd: string, outboundProxyUrl: string | null): Settings {
  return {
    host: read('host'),
    port: read('port'),
    targetUrl: read('targetUrl'),
    outboundProxyUrl,
    upstreamCaFile: absoluteOrNull(read('upstreamCaFile'), cwd),
    rewriteRulesFile: absoluteOrNull(read('rewriteRulesFile'), cwd),
    secretsFile: resolve(cwd, read('secretsFile')),
    numWorkers: read('numWorkers'),
    connectTimeoutMs: read('connectTimeout'),
    clientTimeoutMs: read('clientTimeout'),
    keepAliveTimeoutMs: read('keepAliveTimeout'),
    drainTimeoutMs: read('drainTimeout'),
    maxBodyBytes: read('maxBodyMb'),
    log: resolveLog(read, cwd),
  };
}

function resolveLog(read: ReadSetting, cwd: string): LogSettings {
  const maxTotalBytes = read('logMaxSizeMb');
  const common = {
    level: read('logLevel'),
    format: read('logFormat'),
    retentionDays: read('logRetentionDays'),
    maxTotalBytes,
    // Only a default is ever cut here: one that was asked for is refused when it is too large.
    rollBytes: Math.min(read('logRollSizeMb'), maxTotalBytes),
  };
  const file = logFile(read('logFile'), read('logDir'), cwd);
  if (file === undefined) return { ...common, rotation: 'none' };
  const asked = read('logRotation');
  const automatic = read('logFile') === '' ? 'internal' : 'external';
  return { ...common, rotation: asked === 'auto' ? automatic : asked, file };
}

function logFile(file: string, dir: string, cwd: string): string | undefined {
  if (dir === '') return file === '' ? undefined : resolve(cwd, file);
  return file === '' ? join(resolve(cwd, dir), DEFAULT_LOG_NAME) : resolve(cwd, dir, file);
}

function absoluteOrNull(path: string, cwd: string): string | null {
  return path === '' ? null : resolve(cwd, path);
}
