// Every setting there is: its default, what it accepts and what it means, in the order they are printed.
// The environment variable and the flag follow from the name; check.ts hands all of this to convict.
import { addressList } from './address-ranges.ts';
import {
  baseUrl,
  type Format,
  listenAddress,
  listenPlace,
  megabytes,
  oneOf,
  orWord,
  path,
  proxyUrl,
  retryCauses,
  seconds,
  wholeNumber,
} from './formats.ts';
import { originList } from './origin-list.ts';
import type { SettingName, SettingValues } from './setting-values.ts';

/** The headings settings are grouped under in what is printed of them. */
export type Section = 'Basics' | 'Upstream' | 'Serving' | 'Clients' | 'Logs';

/** One setting, as an operator knows it. */
export interface Setting<T> {
  readonly section: Section;
  /** As an operator would write it; empty where the default is "not set". */
  readonly default: string;
  readonly format: Format<T>;
  readonly doc: string;
}

function setting<T>(section: Section, byDefault: string, format: Format<T>, doc: string): Setting<T> {
  return { section, default: byDefault, format, doc };
}

/** All settings by name. */
export const SETTINGS: { readonly [Name in SettingName]: Setting<SettingValues[Name]> } = {
  port: setting('Basics', '8899', wholeNumber(0, 65_535), 'Port to listen on; 0 takes any free one.'),
  host: setting('Basics', '127.0.0.1', listenAddress(), 'Address to listen on; 0.0.0.0 is every IPv4 one.'),
  logLevel: setting(
    'Basics',
    'INFO',
    oneOf('DEBUG', 'INFO', 'WARNING', 'ERROR'),
    'Least level that is logged.',
  ),
  secretsFile: setting('Basics', 'secrets.json', path(), 'File with the credentials.'),
  logFile: setting('Basics', '', path(), 'Log file; a relative path is below FLOW_PROXY_LOG_DIR if set.'),

  targetUrl: setting(
    'Upstream',
    'https://flow.ciandt.com/flow-llm-proxy',
    baseUrl(),
    'Base URL of the upstream; the path of a request is added to it.',
  ),
  upstreamProxy: setting(
    'Upstream',
    '',
    proxyUrl(),
    'Outbound proxy to the upstream; not set, HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide; none is a direct connection.',
  ),
  upstreamCaFile: setting('Upstream', '', path(), 'PEM file of further CAs to trust for the upstream.'),
  connectTimeout: setting(
    'Upstream',
    '10',
    seconds(0.1, 600),
    'Longest wait for a connection to the upstream.',
  ),
  clientTimeout: setting(
    'Upstream',
    '600',
    seconds(0.1, 86_400),
    'Longest silence before the first byte of an answer, and between two of its bytes.',
  ),
  firstByteTimeout: setting(
    'Upstream',
    'auto',
    orWord(seconds(0.1, 86_400), 'auto'),
    'Longest wait for the first byte of an answer; auto is FLOW_PROXY_CLIENT_TIMEOUT.',
  ),
  idleTimeout: setting(
    'Upstream',
    'auto',
    orWord(seconds(0.1, 86_400), 'auto'),
    'Longest silence between two bytes of an answer; auto is FLOW_PROXY_CLIENT_TIMEOUT.',
  ),
  exchangeTimeout: setting(
    'Upstream',
    '3600',
    seconds(0, 86_400),
    'Longest time for a request and its whole answer; 0 is no limit.',
  ),
  maxAttempts: setting(
    'Upstream',
    '3',
    wholeNumber(1, 20),
    'Most attempts for one request, each with another credential; 1 switches failover off.',
  ),
  retryTime: setting(
    'Upstream',
    '60',
    seconds(0, 3600),
    'No further attempt begins later than this after the request came in.',
  ),
  retryOn: setting(
    'Upstream',
    '503,529',
    retryCauses(),
    'What is tried again besides 401, 403, 429 and failed connections; others may have been billed already.',
  ),
  throttleWait: setting(
    'Upstream',
    '3',
    seconds(0, 600),
    'How long a request may wait for a throttled credential that is about to come back, before it gets a 429.',
  ),
  affinity: setting(
    'Upstream',
    'on',
    oneOf('on', 'off'),
    'Keep a conversation on one credential while that is available, for the sake of prompt caches.',
  ),
  streamKeepAlive: setting(
    'Upstream',
    '15',
    seconds(0, 3600),
    'Send a comment line on an event stream after this much silence; 0 switches it off.',
  ),
  rewriteRulesFile: setting(
    'Upstream',
    '',
    path(),
    'JSON file with rewrite rules that replace the built-in request filter.',
  ),

  numWorkers: setting(
    'Serving',
    'auto',
    orWord(wholeNumber(1, 1024), 'auto'),
    'Worker processes; auto goes by the CPUs this process may use.',
  ),
  keepAliveTimeout: setting(
    'Serving',
    '75',
    seconds(1, 86_400),
    'How long an idle client connection is kept.',
  ),
  drainTimeout: setting(
    'Serving',
    '600',
    seconds(0, 86_400),
    'Longest wait for requests in flight when a worker stops or is replaced.',
  ),
  maxDraining: setting(
    'Serving',
    '25',
    wholeNumber(1, 1000),
    'Most generations of replaced workers that still finish requests; of the oldest one beyond, what is left is cut off.',
  ),
  softMemoryMb: setting(
    'Serving',
    'auto',
    orWord(megabytes(16, 1_048_576), 'auto'),
    'Memory (RSS) beyond which a worker is replaced without loss, one at a time; auto is three quarters of the hard limit.',
  ),
  hardMemoryMb: setting(
    'Serving',
    'auto',
    orWord(megabytes(16, 1_048_576), 'auto'),
    'Memory (RSS) beyond which a worker is killed; auto is its share of the memory of the machine or the cgroup.',
  ),
  heapMb: setting(
    'Serving',
    'auto',
    orWord(megabytes(32, 1_048_576), 'auto'),
    'Heap limit of a worker (V8); auto is three quarters of the hard limit, at most 4096.',
  ),
  minLifetime: setting(
    'Serving',
    '300',
    seconds(1, 86_400),
    'A worker over its soft memory limit is not replaced before this age.',
  ),
  maxLoopDelay: setting(
    'Serving',
    '2',
    seconds(0, 600),
    'While its event loop is later than this, a worker answers new requests with 503 and Retry-After; 0 switches it off.',
  ),
  heartbeatTimeout: setting(
    'Serving',
    '15',
    seconds(2, 3600),
    'A worker that is silent for this long hangs: it is killed and replaced.',
  ),
  controlSocket: setting(
    'Serving',
    'auto',
    orWord(path(), 'auto'),
    'Unix socket for flow-proxy status, reload and the like; auto is in the runtime folder, or else below the temporary one.',
  ),
  adminListen: setting(
    'Serving',
    '127.0.0.1:8898',
    orWord(listenPlace(), 'off'),
    'Where /metrics and /status are served, without a password: keep it private; port 0 takes any free one.',
  ),
  maxBodyMb: setting('Serving', '32', megabytes(0.01, 1024), 'Largest request body, in MB.'),
  keepBodyMb: setting(
    'Serving',
    '8',
    megabytes(0, 1024),
    'Request bodies up to this are kept for another attempt, larger ones are sent once.',
  ),
  headerTimeout: setting(
    'Serving',
    '60',
    seconds(0.1, 3600),
    'Longest wait for the head of a request once a connection is open or its first byte is here; then 408.',
  ),
  bodyTimeout: setting(
    'Serving',
    '60',
    seconds(0.1, 3600),
    'Longest silence of a client in its request body, and how long it may send less than 500 bytes a second; then 408.',
  ),
  maxConnections: setting(
    'Serving',
    'auto',
    orWord(wholeNumber(1, 1_000_000), 'auto'),
    'Most client connections of a worker, auto is 10000 or what the open-file limit allows; what comes in beyond gets one answer, a 503 unless it asks for our health.',
  ),
  maxInFlight: setting(
    'Serving',
    '2000',
    wholeNumber(1, 1_000_000),
    'Most requests and WebSockets a worker has under way; those beyond get a 503 with Retry-After.',
  ),

  allowedClients: setting(
    'Clients',
    '',
    addressList(),
    'Addresses that may come in; * is everyone. Not set, loopback and private ranges, or everyone who has a client key.',
  ),
  clientKeysFile: setting(
    'Clients',
    '',
    path(),
    'File of client keys, made by flow-proxy keys add; when set, every request needs one.',
  ),
  tlsCertFile: setting(
    'Clients',
    '',
    path(),
    'PEM file of the certificate (and its chain) for HTTPS towards clients; needs FLOW_PROXY_TLS_KEY_FILE.',
  ),
  tlsKeyFile: setting('Clients', '', path(), 'PEM file of the private key of FLOW_PROXY_TLS_CERT_FILE.'),
  corsOrigins: setting(
    'Clients',
    '',
    originList(),
    'Origins whose web pages may call from a browser (CORS); not set, preflights are forwarded like anything else.',
  ),

  logDir: setting('Logs', '', path(), 'Folder for log files; on its own it means app.log, rolled by us.'),
  logFormat: setting(
    'Logs',
    'auto',
    oneOf('auto', 'json', 'pretty'),
    'auto is pretty on a terminal, json otherwise.',
  ),
  logRotation: setting(
    'Logs',
    'auto',
    oneOf('auto', 'external', 'internal'),
    'Who rotates: internal is us, external is logrotate; auto is external with FLOW_PROXY_LOG_FILE, else internal.',
  ),
  logStdout: setting(
    'Logs',
    'service',
    oneOf('service', 'all'),
    'What standard output gets beside a log file: service is what happens to the service, all is requests, too.',
  ),
  logRetentionDays: setting('Logs', '7', wholeNumber(1, 3650), 'Days a file we rolled is kept.'),
  logMaxSizeMb: setting('Logs', '100', megabytes(0.01, 1_048_576), 'Total of all log files we keep, in MB.'),
  logRollSizeMb: setting(
    'Logs',
    '10',
    megabytes(0.01, 1_048_576),
    'Size at which we roll a log file, in MB; at most FLOW_PROXY_LOG_MAX_SIZE_MB.',
  ),
};

/** Settings that a reload cannot change: what they stand for is opened once, by the primary. */
export const NEEDS_RESTART: ReadonlySet<SettingName> = new Set<SettingName>([
  'port',
  'host',
  'controlSocket',
  'logFile',
  'logDir',
  'logFormat',
  'logRotation',
  'logStdout',
  'logRetentionDays',
  'logMaxSizeMb',
  'logRollSizeMb',
]);

/** All names, in the order of the schema. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS).filter(isSettingName);

/** Whether a text is the name of a setting. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** The environment variable of a setting: `numWorkers` is `FLOW_PROXY_NUM_WORKERS`. */
export function variableOf(name: SettingName): string {
  return `FLOW_PROXY_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** The command line flag of a setting: `numWorkers` is `--num-workers`. */
export function flagOf(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, '-$&').toLowerCase()}`;
}
