// A status as a running service tells it, to change one thing about.
import type { ServiceStatus, WorkerStatus } from '../../../../src/control/status.ts';

export const sampleWorker: WorkerStatus = {
  slot: 0,
  pid: 100,
  stage: 'ready',
  generation: 1,
  inFlight: 0,
  rssBytes: 0,
  loopDelayMs: 0,
  startedAt: '2026-11-24T11:00:00.000Z',
};

export function sampleStatus(changes: Partial<ServiceStatus> = {}): ServiceStatus {
  const credential = { weight: 1, cooldowns: [] };
  return {
    version: '0.1.0',
    pid: 99,
    startedAt: '2026-11-24T11:00:00.000Z',
    state: 'ready',
    listen: { host: '127.0.0.1', port: 8899, isSecure: false },
    generation: 1,
    lastReload: null,
    workersWanted: 1,
    workers: [sampleWorker],
    draining: [],
    credentials: [
      { ...credential, name: 'a', available: true, disabled: false },
      { ...credential, name: 'b', available: false, disabled: false },
    ],
    inFlight: 0,
    log: { mode: 'none', file: null, level: 'INFO', lostLines: 0, lostOnTheWay: 0 },
    limits: { softBytes: 1, hardBytes: 1, heapBytes: 1, connections: 1, openFiles: null },
    host: null,
    ...changes,
  };
}
