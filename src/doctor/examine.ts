// The whole examination, in the order in which one thing depends on another. Changes nothing; every step is bounded.
import type { LoadInput } from '../config/load.ts';
import type { ServiceStatus } from '../control/status.ts';
import type { Finding } from './finding.ts';
import { checkLimits } from './limits.ts';
import { checkLog } from './log-folder.ts';
import { checkNode } from './node-version.ts';
import { checkPort } from './port.ts';
import { checkSecrets } from './secrets.ts';
import { checkSettings } from './settings.ts';
import { checkUnit } from './systemd-unit.ts';
import { WayCheck } from './way-check.ts';

export interface ExaminationOptions {
  readonly input: LoadInput;
  /** Try each credential once. */
  readonly isLive: boolean;
  /** What a running service says of itself; null when none answers. */
  readonly running: ServiceStatus | null;
  /** What `auto` workers come to. */
  readonly automaticWorkers: number;
}

/** Yields findings as they come. */
export async function* examine(options: ExaminationOptions): AsyncGenerator<Finding> {
  const { input, running, automaticWorkers } = options;
  yield checkNode(process.version);
  const { settings, upstreamCa, findings } = checkSettings(input, Date.now());
  yield* findings;
  if (settings !== null) {
    const secrets = checkSecrets(settings.secretsFile);
    yield* secrets.findings;
    yield await checkPort(settings, running);
    const numWorkers = settings.numWorkers === 'auto' ? automaticWorkers : settings.numWorkers;
    yield* checkLimits(settings, numWorkers, running?.pid ?? null);
    yield* checkLog(settings.log, input.cwd);
    const way = new WayCheck(settings, upstreamCa);
    yield* way.check();
    yield* way.tryEach(options.isLive ? secrets.credentials : null);
  }
  yield await checkUnit();
}
