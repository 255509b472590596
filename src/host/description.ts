// What this machine is, in one line for whoever reads the log later. Found out without starting a process, as
// systeminformation would: some fifteen shells at every start.
import { cpus, freemem, release, type as systemType, totalmem } from 'node:os';
import { type ReadFile, readOrNull } from './cgroup.ts';

/** The figures of node:os that the line is made of. */
export interface Machine {
  readonly processors: readonly { readonly model: string }[];
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** As `Linux`. */
  readonly system: string;
  readonly kernel: string;
}

/** A sentence without secrets: processors, memory, system. */
export function describeHost(machine: Machine = thisMachine(), read: ReadFile = readOrNull): string {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const [{ model } = { model: '' }] = machine.processors;
  const processors = `${machine.processors.length} × ${model.trim().replace(/\s+/g, ' ') || 'unknown processor'}`;
  const memory = `${gigabytes(machine.freeBytes)} GB of ${gigabytes(machine.totalBytes)} GB memory free`;
  return `${processors}, ${memory}, ${distribution(read) ?? machine.system}, kernel ${machine.kernel}`;
}

function thisMachine(): Machine {
  return {
    processors: cpus(),
    freeBytes: freemem(),
    totalBytes: totalmem(),
    system: systemType(),
    kernel: release(),
  };
}

/** The name for people in os-release(5), of whose two places the first that is there counts. */
function distribution(read: ReadFile): string | undefined {
  const text = read('/etc/os-release') ?? read('/usr/lib/os-release') ?? '';
  return /^PRETTY_NAME=(["']?)(.+)\1$/m.exec(text)?.[2];
}
