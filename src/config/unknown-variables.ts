// Warnings for what sets nothing: FLOW_PROXY_ variables that are mistyped or the predecessor's, lines without a =.
// Only names are printed: the value of a mistyped variable may well be a secret.
import type { IgnoredLine } from './env-file.ts';
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

/** One warning for each line that looks as if it set something; of what is in it only the name of a setting is told. */
export function ignoredLines(lines: readonly IgnoredLine[]): string[] {
  const known = SETTING_NAMES.map(variableOf);
  return lines.map(({ place, text }) => {
    const word = /^(?:export\s+)?(\w+)/.exec(text)?.[1] ?? '';
    const name = known.includes(word) ? word : 'NAME';
    return `${place} is ignored: it is no assignment; write ${name}=value, or # before a comment`;
  });
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
