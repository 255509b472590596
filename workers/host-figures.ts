// Piscina tasks: what this machine is, and how busy it is. systeminformation takes its time, so never on a loop that
// accepts connections.
import { cpu, currentLoad, mem, osInfo } from 'systeminformation';
import type { HostFigures } from '../src/control/status.ts';

/** A sentence without secrets: processor, memory, system. */
export async function describeHost(): Promise<string> {
  const [processor, memory, system] = await Promise.all([cpu(), mem(), osInfo()]);
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  const processors = `${processor.cores} × ${`${processor.manufacturer} ${processor.brand}`.trim()}`;
  const free = `${gigabytes(memory.available)} of ${gigabytes(memory.total)} memory free`;
  return `${processors}, ${free}, ${system.distro} ${system.release}, kernel ${system.kernel}`;
}

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
