// Limits of the control groups that this process is in, versions 1 and 2: its own group's and those of all around it.
// What they mean for the service is worker-count.ts's and memory-share.ts's.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Reads a file, or gives null when there is none. */
export type ReadFile = (path: string) => string | null;

const ROOT = '/sys/fs/cgroup';
const OWN_GROUPS = '/proc/self/cgroup';

/** Of the file system as it is. */
export function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Processors' worth of time that all groups allow; Infinity without a quota. */
export function cpuQuota(read: ReadFile): number {
  const v2 = unified(read).map((group) => {
    const [quota, period] = (read(join(group, 'cpu.max')) ?? 'max').trim().split(/\s+/);
    return quota === 'max' ? Number.POSITIVE_INFINITY : ratio(quota, period);
  });
  const v1 = groupsOf('cpu', read).map((group) => {
    const quota = read(join(group, 'cpu.cfs_quota_us'))?.trim();
    return ratio(quota, read(join(group, 'cpu.cfs_period_us'))?.trim());
  });
  return Math.min(...v2, ...v1, Number.POSITIVE_INFINITY);
}

/** Bytes of memory that all groups allow; Infinity without a limit. */
export function memoryLimitBytes(read: ReadFile): number {
  const v2 = unified(read).flatMap((group) => ['memory.max', 'memory.high'].map((name) => join(group, name)));
  const v1 = groupsOf('memory', read).map((group) => join(group, 'memory.limit_in_bytes'));
  const limits = [...v2, ...v1].map((file) => Number(read(file)?.trim() ?? ''));
  return Math.min(...limits.filter((bytes) => bytes > 0), Number.POSITIVE_INFINITY);
}

/** Folders of version 2: of our group and all above it. */
function unified(read: ReadFile): string[] {
  return upwards(/^0::(\/.*)$/m.exec(read(OWN_GROUPS) ?? '')?.[1] ?? '/').map((group) => join(ROOT, group));
}

/** The same of version 1, whose controllers have a tree each. A container sees only the root of its own. */
function groupsOf(controller: string, read: ReadFile): string[] {
  const line = new RegExp(`^\\d+:((?:[^:\\n]*,)?${controller}(?:,[^:\\n]*)?):(/.*)$`, 'm');
  const [, mounted = controller, own = '/'] = line.exec(read(OWN_GROUPS) ?? '') ?? [];
  const trees = new Set([controller, mounted]);
  return [...trees].flatMap((tree) => upwards(own).map((group) => join(ROOT, tree, group)));
}

function upwards(group: string): string[] {
  return group === '/' ? ['/'] : [group, ...upwards(dirname(group))];
}

/** Infinity for what is no quota: missing, or -1. */
function ratio(quota: string | undefined, period: string | undefined): number {
  const processors = Number(quota) / Number(period ?? '100000');
  return processors > 0 ? processors : Number.POSITIVE_INFINITY;
}
