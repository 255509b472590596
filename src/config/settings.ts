// The settings of one generation: resolved, absolute, immutable. Where they came from is load.ts's.
import { join, resolve } from 'node:path';
import type { ListenPlace, RetryCause } from './formats.ts';
import type { SettingName, SettingValues } from './setting-values.ts';

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
  | {
      readonly rotation: 'external' | 'internal';
      readonly file: string;
      /** What is written to standard output as well. */
      readonly stdout: SettingValues['logStdout'];
    }
);

/** How long an answer may take. */
export interface UpstreamLimits {
  readonly firstByteMs: number;
  /** Between two bytes of an answer. */
  readonly idleMs: number;
  /** From the request's arrival to the last byte of its answer; 0 is no limit. */
  readonly exchangeMs: number;
}

/** What clients may ask of one worker, and how slowly. */
export interface InboundLimits {
  /** For the head of a request. */
  readonly headerMs: number;
  /** Between two pieces of a request's body. */
  readonly bodyMs: number;
  /** auto is what the open-file limit allows. */
  readonly connections: number | 'auto';
  /** Exchanges and upgrades under way. */
  readonly inFlight: number;
  /** How late the event loop may be before new requests are turned away; 0 is no limit. */
  readonly loopDelayMs: number;
}

/** What becomes of a worker that grows. */
export interface MemorySettings {
  readonly softBytes: number | 'auto';
  readonly hardBytes: number | 'auto';
  readonly heapBytes: number | 'auto';
  /** No worker is replaced for its memory before this age. */
  readonly minLifetimeMs: number;
}

/** When an exchange is tried again. */
export interface RetrySettings {
  readonly maxAttempts: number;
  /** No attempt begins later than this after the exchange did. */
  readonly withinMs: number;
  readonly causes: readonly RetryCause[];
  /** How long an exchange may wait for a throttled credential to come back. */
  readonly throttleWaitMs: number;
}

/** Who may come in, and how. */
export interface ClientSettings {
  /** As written, with `private` and `*` in it; empty when not set. */
  readonly allowed: readonly string[];
  readonly keysFile: string | null;
  /** Files of certificate and private key; null for plain HTTP. */
  readonly tls: TlsFiles | null;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

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
  /** Of one request on its way to the upstream. */
  readonly limits: UpstreamLimits;
  readonly retry: RetrySettings;
  readonly hasAffinity: boolean;
  /** Silence on an event stream after which a comment is sent; 0 is never. */
  readonly streamKeepAliveMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly drainTimeoutMs: number;
  /** Of one worker. */
  readonly memory: MemorySettings;
  /** Most generations of workers that drain. */
  readonly maxDraining: number;
  /** Silence after which a worker is taken for hung. */
  readonly heartbeatTimeoutMs: number;
  /** A path, or `auto`. */
  readonly controlSocket: string;
  /** Where the primary serves /metrics and the like; null when off. */
  readonly adminListen: ListenPlace | null;
  readonly maxBodyBytes: number;
  /** A body up to this is kept for another attempt. */
  readonly keepBodyBytes: number;
  readonly inbound: InboundLimits;
  readonly clients: ClientSettings;
  /** Web origins that get CORS headers, or the word for all; empty when off. */
  readonly corsOrigins: readonly string[];
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
    limits: resolveLimits(read),
    retry: {
      maxAttempts: read('maxAttempts'),
      withinMs: read('retryTime'),
      causes: read('retryOn'),
      throttleWaitMs: read('throttleWait'),
    },
    hasAffinity: read('affinity') === 'on',
    streamKeepAliveMs: read('streamKeepAlive'),
    keepAliveTimeoutMs: read('keepAliveTimeout'),
    drainTimeoutMs: read('drainTimeout'),
    memory: {
      softBytes: read('softMemoryMb'),
      hardBytes: read('hardMemoryMb'),
      heapBytes: read('heapMb'),
      minLifetimeMs: read('minLifetime'),
    },
    maxDraining: read('maxDraining'),
    heartbeatTimeoutMs: read('heartbeatTimeout'),
    controlSocket: read('controlSocket') === 'auto' ? 'auto' : resolve(cwd, read('controlSocket')),
    adminListen: onOrNull(read('adminListen')),
    maxBodyBytes: read('maxBodyMb'),
    keepBodyBytes: Math.min(read('keepBodyMb'), read('maxBodyMb')),
    inbound: {
      headerMs: read('headerTimeout'),
      bodyMs: read('bodyTimeout'),
      connections: read('maxConnections'),
      inFlight: read('maxInFlight'),
      loopDelayMs: read('maxLoopDelay'),
    },
    clients: resolveClients(read, cwd),
    corsOrigins: read('corsOrigins'),
    log: resolveLog(read, cwd),
  };
}

function onOrNull(listen: SettingValues['adminListen']): ListenPlace | null {
  return listen === 'off' ? null : listen;
}

function resolveClients(read: ReadSetting, cwd: string): ClientSettings {
  const certFile = absoluteOrNull(read('tlsCertFile'), cwd);
  const keyFile = absoluteOrNull(read('tlsKeyFile'), cwd);
  return {
    allowed: read('allowedClients'),
    keysFile: absoluteOrNull(read('clientKeysFile'), cwd),
    // One without the other has been refused before.
    tls: certFile === null || keyFile === null ? null : { certFile, keyFile },
  };
}

function resolveLimits(read: ReadSetting): UpstreamLimits {
  const silenceMs = read('clientTimeout');
  const [firstByte, idle] = [read('firstByteTimeout'), read('idleTimeout')];
  return {
    firstByteMs: firstByte === 'auto' ? silenceMs : firstByte,
    idleMs: idle === 'auto' ? silenceMs : idle,
    exchangeMs: read('exchangeTimeout'),
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
  const rotation = asked === 'auto' ? automatic : asked;
  return { ...common, rotation, file, stdout: read('logStdout') };
}

function logFile(file: string, dir: string, cwd: string): string | undefined {
  if (dir === '') return file === '' ? undefined : resolve(cwd, file);
  return file === '' ? join(resolve(cwd, dir), DEFAULT_LOG_NAME) : resolve(cwd, dir, file);
}

function absoluteOrNull(path: string, cwd: string): string | null {
  return path === '' ? null : resolve(cwd, path);
}
