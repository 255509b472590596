// `flow-proxy check`: are the settings and the secrets usable? Like nginx -t: starts nothing, changes nothing.
import { describeAccess } from '../clients/access.ts';
import { describeCertificate } from '../clients/tls-pair.ts';
import type { LogSettings } from '../config/settings.ts';
import { checkLog } from '../doctor/log-folder.ts';
import { findSocketObstacle } from '../doctor/socket-folder.ts';
import { ConfigError } from '../errors.ts';
import { findLogrotateRule, LOGROTATE_FOLDER, type LogrotateRule } from '../logging/logrotate-rules.ts';
import { rolledPath } from '../logging/retention.ts';
import { type CommandLine, prepare } from './prepare.ts';

/** @throws ConfigError when they are not */
export function check(commandLine: CommandLine): void {
  const { settings, credentials, generation, clientKeys, tls, warnings } = prepare(commandLine);
  assertLogCanBeWritten(settings.log);
  const socketWarnings = checkControlSocket(settings.controlSocket);
  const rule = logrotateRule(settings.log);
  for (const warning of [...warnings, ...socketWarnings, ...doubleRotation(settings.log, rule)]) {
    console.error(`warning: ${warning}`);
  }
  const names = credentials.map(({ name, weight }) => (weight === 1 ? name : `${name} (weight ${weight})`));
  console.log(`target:      ${settings.targetUrl}`);
  console.log(`listen on:   ${settings.host}:${settings.port}`);
  console.log(`tls:         ${tls === null ? 'none, plain HTTP' : describeCertificate(tls)}`);
  console.log(`clients:     ${describeAccess(generation.clients, clientKeys.length)}`);
  console.log(`credentials: ${credentials.length} in ${settings.secretsFile}: ${names.join(', ')}`);
  console.log(`filter:      ${generation.rewriteRules.length} rewrite rules`);
  console.log(`log:         ${describe(settings.log, rule)}`);
  console.log('The configuration is usable.');
}

/** A start would refuse it. */
function assertLogCanBeWritten(log: LogSettings): void {
  const failed = checkLog(log, process.cwd()).find(
    ({ check, verdict }) => check === 'log' && verdict === 'fail',
  );
  if (failed !== undefined) throw new ConfigError('log', [`${failed.message}; ${failed.fix}`]);
}

/** @returns what would keep a start from making it now, but perhaps not later: systemd makes folders with a start */
function checkControlSocket(path: string): string[] {
  const obstacle = path === 'auto' ? undefined : findSocketObstacle(path);
  if (obstacle === undefined) return [];
  const problem = `the control socket (FLOW_PROXY_CONTROL_SOCKET) cannot be made: ${obstacle.what}`;
  if (obstacle.isFinal) throw new ConfigError('settings', [problem]);
  return [problem];
}

/** What logrotate would do with the log file of this service. */
function logrotateRule(log: LogSettings): LogrotateRule | undefined {
  if (log.rotation === 'none') return undefined;
  const path = log.rotation === 'external' ? log.file : rolledPath(log.file, new Date());
  return findLogrotateRule(LOGROTATE_FOLDER, path);
}

function doubleRotation(log: LogSettings, rule: LogrotateRule | undefined): string[] {
  if (log.rotation !== 'internal' || rule === undefined) return [];
  const { file, line, pattern } = rule;
  const example = rolledPath(log.file, new Date());
  return [
    `${file}:${line} makes logrotate rotate "${pattern}", which covers ${example}, a file that flow-proxy rotates itself: take it out there, or set FLOW_PROXY_LOG_ROTATION=external`,
  ];
}

function describe(log: LogSettings, rule: LogrotateRule | undefined): string {
  switch (log.rotation) {
    case 'none':
      return 'standard output';
    case 'external': {
      const by = rule === undefined ? `no file in ${LOGROTATE_FOLDER} covers it` : `by ${rule.file}`;
      return `${log.file}, one plain file, external rotation (${by}; SIGUSR2 reopens it)`;
    }
    case 'internal':
      return `${rolledPath(log.file, new Date())} and so on, internal rotation daily and by size, kept for ${log.retentionDays} days`;
  }
}
