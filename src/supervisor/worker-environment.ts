// What workers inherit of the environment: what Node and the C library need, and nothing else. Settings reach them by
// IPC, so that no variable that names or holds a secret (FLOW_PROXY_*, HTTPS_PROXY) stands in /proc/PID/environ.

const KEPT = new Set([
  ...['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'LD_LIBRARY_PATH'],
  ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_V8_COVERAGE'],
  // Whom to trust: the TLS connection to the upstream is a worker's.
  ...['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
]);

/**
 * An environment for cluster.fork, which adds it to the primary's: what is to go is therefore there as undefined.
 */
export function workerEnvironment(environment: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, isKept(name) ? value : undefined]),
  );
}

function isKept(name: string): boolean {
  return KEPT.has(name) || name.startsWith('LC_');
}
