// Warnings for FLOW_PROXY_ variables that set nothing: mistyped, or the predecessor's.
// Only names are printed: the value of a mistyped variable may well be a secret.
import { nearestName } from './nearest-name.ts';
import type { Variables } from './outbound-proxy.ts';
import { SETTING_NAMES, variableOf } from './schema.ts';

const PREFIX = 'FLOW_PROXY_';

const OBSOLETE: Readonly<Record<string, string>> = {
  FLOW_PROXY_THREADED: 'every worker serves all its requests at once',
  FLOW_PROXY_PLUGIN_POOL_SIZE: 'there are no plugin instances to pool',
  FLOW_PROXY_LOG_CLEANUP_ENABLED:
    'old log files are removed as FLOW_PROXY_LOG_RETENTION_DAYS and FLOW_PROXY_LOG_MAX_SIZE_MB say',
  FLOW_PROXY_LOG_CLEANUP_INTERVAL_HOURS: 'old log files are removed whenever a new one is begun',
};

/** Kubernetes sets these in every pod, for each Service whose name begins with flow-proxy. */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/**
 * One warning for each variable that starts like a setting and is none.
 * @param placeOf where a variable was set, such as ` (/app/.env line 3)`
 */
export function unknownVariables(variables: Variables, placeOf: (variable: string) => string): string[] {
  const known = SETTING_NAMES.map(variableOf);
  return Object.entries(variables)
    .filter(([name, text]) => name.startsWith(PREFIX) && !known.includes(name) && !isServiceLink(name, text))
    .map(([name]) => `${name}${placeOf(name)} ${explain(name, known)}`);
}

/** What to add to a refusal when the value was set by Kubernetes and not by a person. */
export function serviceLinkHint(text: string): string {
  if (!SERVICE_ADDRESS.test(text)) return '';
  return ' (Kubernetes sets it for a Service named flow-proxy: set it yourself, or enableServiceLinks: false)';
}

function isServiceLink(name: string, text: string | undefined): boolean {
  return SERVICE_LINK.test(name) || SERVICE_ADDRESS.test(text ?? '');
}

function explain(name: string, known: readonly string[]): string {
  const reason = OBSOLETE[name];
  if (reason !== undefined) return `means nothing here and is ignored: ${reason}`;
  const suffixes = known.map((variable) => variable.slice(PREFIX.length));
  const nearest = nearestName(name.slice(PREFIX.length), suffixes);
  const guess = nearest === undefined ? '' : `; did you mean ${PREFIX}${nearest}?`;
  return `is not a setting and is ignored${guess}`;
}
