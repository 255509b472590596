// Piscina task: what this machine is, for one line in the log. systeminformation takes its time, so never on a loop
// that accepts connections.
import { cpu, mem, osInfo } from 'systeminformation';

/** A sentence without secrets: processor, memory, system. */
export async function describeHost(): Promise<string> {
  const [processor, memory, system] = await Promise.all([cpu(), mem(), osInfo()]);
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
  const processors = `${processor.cores} × ${`${processor.manufacturer} ${processor.brand}`.trim()}`;
  const free = `${gigabytes(memory.available)} of ${gigabytes(memory.total)} memory free`;
  return `${processors}, ${free}, ${system.distro} ${system.release}, kernel ${system.kernel}`;
}
