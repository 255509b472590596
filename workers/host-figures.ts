// Piscina task: how busy this machine is. systeminformation takes its time, so never on a loop that
// accepts connections.
import { currentLoad, mem } from 'systeminformation';
import type { HostFigures } from '../src/control/status.ts';

/** The load is that since the look before; the first one tells of the time since the machine started. */
export async function hostFigures(): Promise<HostFigures> {
  const [load, memory] = await Promise.all([currentLoad(), mem()]);
  return {
    processors: load.cpus.length,
    cpuPercent: Math.round(load.currentLoad * 10) / 10,
    loadAverage: load.avgLoad,
    memoryTotalBytes: memory.total,
    memoryAvailableBytes: memory.available,
  };
}
