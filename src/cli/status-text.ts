// `flow-proxy status` for people: one screen.
import {
  type CredentialStatus,
  isStatus,
  type LastReload,
  type ServiceStatus,
  type WorkerStatus,
} from '../control/status.ts';

/** @param report as it came from the socket of a service that may be of another version */
export function statusText(report: unknown): string {
  if (!isStatus(report)) return `${JSON.stringify(report, null, 2)}\n`;
  const { listen, workers, draining, credentials, inFlight, lastReload, log } = report;
  const ready = workers.filter(({ stage }) => stage === 'ready').length;
  const lines = [
    `flow-proxy ${report.version}: ${report.state}, pid ${report.pid}, since ${report.startedAt}`,
    `listening on ${listen.isSecure ? 'https' : 'http'}://${listen.host}:${listen.port}, ${inFlight} exchanges in flight`,
    `log: ${logText(log)}`,
    `last reload: ${lastReload === null ? 'none' : reloadText(lastReload)}`,
    `workers: ${ready} of ${report.workersWanted} ready, generation ${report.generation}`,
    ...workers.map(workerText),
    ...draining.flatMap(({ generation, workers: old }) => [
      `draining generation ${generation}:`,
      ...old.map(workerText),
    ]),
    `credentials: ${credentials.filter(({ available }) => available).length} of ${credentials.length} available`,
    ...credentials.map(credentialText),
  ];
  return `${lines.join('\n')}\n`;
}

function logText({ mode, file, lostLines }: ServiceStatus['log']): string {
  const where = mode === 'none' ? 'standard output' : `${file} (${mode} rotation)`;
  return lostLines === 0 ? where : `${where}, ${lostLines} lines lost`;
}

function reloadText({ at, outcome, reasons, needRestart }: LastReload): string {
  const pending = needRestart.length === 0 ? [] : [`waits for a restart: ${needRestart.join(', ')}`];
  return [`${outcome} at ${at}`, ...reasons, ...pending].join('\n  - ');
}

function workerText({ slot, pid, stage, inFlight, rssBytes, loopDelayMs }: WorkerStatus): string {
  const megabytes = Math.round(rssBytes / 1024 / 1024);
  return `  ${slot}: pid ${pid}, ${stage}, ${inFlight} in flight, ${megabytes} MB, loop ${Math.round(loopDelayMs)} ms late`;
}

function credentialText({ name, weight, available, disabled, cooldowns }: CredentialStatus): string {
  const state = disabled ? 'DISABLED' : available ? 'available' : 'resting';
  const more = cooldowns.length > 2 ? [`and ${cooldowns.length - 2} more models`] : [];
  const causes = cooldowns
    .slice(0, 2)
    .map(({ model, reason, until }) => `${reason}${model === null ? '' : ` for ${model}`} until ${until}`);
  return `  ${name}${weight === 1 ? '' : ` (weight ${weight})`}: ${[state, ...causes, ...more].join(', ')}`;
}
