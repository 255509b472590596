// How many workers `auto` means: the processors this process may use, bounded by the CPU quota of its cgroup.
// Node 20 does not look at quotas itself, so a container on a large host would get a worker for each of its cores.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

const CGROUPS = '/sys/fs/cgroup';

/** At least one; a quota is rounded up. */
export function countWorkers(
  processors: number = availableParallelism(),
  read: (path: string) => string | null = readOrNull,
): number {
  const quota = Math.min(quotaOfV2(read), quotaOfV1(read));
  return Math.max(1, Math.min(processors, Math.ceil(quota)));
}

/** The smallest quota of our cgroup and all above it; `cpu.max` holds `QUOTA PERIOD` or `max PERIOD`. */
function quotaOfV2(read: (path: string) => string | null): number {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  let smallest = Number.POSITIVE_INFINITY;
  for (let group = own; ; group = dirname(group)) {
    const [quota, period] = (read(join(CGROUPS, group, 'cpu.max')) ?? 'max').trim().split(/\s+/);
    if (quota !== 'max') smallest = Math.min(smallest, ratio(quota, period));
    if (group === '/') return smallest;
  }
}

function quotaOfV1(read: (path: string) => string | null): number {
  const quota = read(join(CGROUPS, 'cpu/cpu.cfs_quota_us'))?.trim();
  const period = read(join(CGROUPS, 'cpu/cpu.cfs_period_us'))?.trim();
  return ratio(quota, period);
}

/** Infinity for what is no quota: missing, or -1. */
function ratio(quota: string | undefined, period: string | undefined): number {
  const processors = Number(quota) / Number(period ?? '100000');
  return processors > 0 ? processors : Number.POSITIVE_INFINITY;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
