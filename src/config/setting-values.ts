// What every setting is, once it has been read: names and types. Defaults, formats and meanings are schema.ts's.
import type { ListenPlace, RetryCause } from './formats.ts';

/** What each setting's text becomes: durations are in ms, sizes in bytes, an empty path is unset. */
export interface SettingValues {
  readonly port: number;
  readonly host: string;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  readonly secretsFile: string;
  readonly logFile: string;
  readonly targetUrl: string;
  readonly upstreamProxy: string;
  readonly upstreamCaFile: string;
  readonly connectTimeout: number;
  readonly clientTimeout: number;
  readonly firstByteTimeout: number | 'auto';
  readonly idleTimeout: number | 'auto';
  readonly exchangeTimeout: number;
  readonly maxAttempts: number;
  readonly retryTime: number;
  readonly retryOn: readonly RetryCause[];
  readonly throttleWait: number;
  readonly affinity: 'on' | 'off';
  readonly streamKeepAlive: number;
  readonly rewriteRulesFile: string;
  readonly numWorkers: number | 'auto';
  readonly keepAliveTimeout: number;
  readonly drainTimeout: number;
  readonly maxDraining: number;
  readonly softMemoryMb: number | 'auto';
  readonly hardMemoryMb: number | 'auto';
  readonly heapMb: number | 'auto';
  readonly minLifetime: number;
  readonly maxLoopDelay: number;
  readonly heartbeatTimeout: number;
  readonly controlSocket: string;
  readonly adminListen: ListenPlace | 'off';
  readonly maxBodyMb: number;
  readonly keepBodyMb: number;
  readonly headerTimeout: number;
  readonly bodyTimeout: number;
  readonly maxConnections: number | 'auto';
  readonly maxInFlight: number;
  readonly allowedClients: readonly string[];
  readonly clientKeysFile: string;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly corsOrigins: readonly string[];
  readonly logDir: string;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly logRotation: 'auto' | 'external' | 'internal';
  readonly logStdout: 'service' | 'all';
  readonly logRetentionDays: number;
  readonly logMaxSizeMb: number;
  readonly logRollSizeMb: number;
}

export type SettingName = keyof SettingValues;
