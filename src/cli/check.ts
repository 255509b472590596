// `flow-proxy check`: are the settings and the secrets usable? Like nginx -t: starts nothing, changes nothing.
import { describeAccess } from '../clients/access.ts';
import { describeCertificate } from '../clients/tls-pair.ts';
import type { LogSettings } from '../config/settings.ts';
import { type CommandLine, prepare } from './prepare.ts';

/** @throws ConfigError when they are not */
export function check(commandLine: CommandLine): void {
  const { settings, credentials, generation, clientKeys, tls, warnings } = prepare(commandLine);
  for (const warning of warnings) console.error(`warning: ${warning}`);
  const names = credentials.map(({ name, weight }) => (weight === 1 ? name : `${name} (weight ${weight})`));
  console.log(`target:      ${settings.targetUrl}`);
  console.log(`listen on:   ${settings.host}:${settings.port}`);
  console.log(`tls:         ${tls === null ? 'none, plain HTTP' : describeCertificate(tls)}`);
  console.log(`clients:     ${describeAccess(generation.clients, clientKeys.length)}`);
  console.log(`credentials: ${credentials.length} in ${settings.secretsFile}: ${names.join(', ')}`);
  console.log(`filter:      ${generation.rewriteRules.length} rewrite rules`);
  console.log(`log:         ${describe(settings.log)}`);
  console.log('The configuration is usable.');
}

function describe(log: LogSettings): string {
  switch (log.rotation) {
    case 'none':
      return 'standard output';
    case 'external':
      return `${log.file}, one plain file (logrotate moves it, SIGUSR2 reopens it)`;
    case 'internal':
      return `${log.file}, rolled daily and by size, kept for ${log.retentionDays} days`;
  }
}
