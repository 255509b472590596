// How many workers `auto` means: the processors this process may use, bounded by the CPU quota and the memory limit of
// its cgroups. Node 20 does not look at quotas itself, so a container on a large host would get a worker for each of
// its cores.
import { availableParallelism } from 'node:os';
import { cpuQuota, memoryLimitBytes, type ReadFile, readOrNull } from './cgroup.ts';

/** What a worker needs for itself before it has anything to do, with some room to work in. */
const WORKER_BYTES = 128 * 1024 * 1024;
const PRIMARY_BYTES = 96 * 1024 * 1024;

/** At least one; a CPU quota is rounded up. */
export function countWorkers(
  processors: number = availableParallelism(),
  read: ReadFile = readOrNull,
): number {
  const fitting = Math.floor((memoryLimitBytes(read) - PRIMARY_BYTES) / WORKER_BYTES);
  return Math.max(1, Math.min(processors, Math.ceil(cpuQuota(read)), fitting));
}
