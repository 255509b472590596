// The one line that `systemctl status` shows of the service. Pure; names and figures only.
import type { ServiceStatus } from '../../control/status.ts';

export function statusLine(status: ServiceStatus): string {
  const { state, workers, workersWanted, credentials, inFlight, draining, lastReload } = status;
  const ready = workers.filter(({ stage }) => stage === 'ready').length;
  const available = credentials.filter((credential) => credential.available).length;
  const parts = [
    // None are wanted any more once the service drains.
    ...(workersWanted === 0 ? [] : [`${ready} of ${workersWanted} workers`]),
    `${available} of ${credentials.length} credentials available`,
    `${inFlight} in flight`,
  ];
  const old = draining.reduce((sum, generation) => sum + generation.workers.length, 0);
  if (old > 0) parts.push(`${old} ${old === 1 ? 'worker drains' : 'workers drain'}`);
  if (lastReload !== null && (lastReload.outcome === 'refused' || lastReload.outcome === 'failed')) {
    parts.push(`last reload ${lastReload.outcome} at ${lastReload.at}`);
  }
  return `${state}: ${parts.join(', ')}`;
}
