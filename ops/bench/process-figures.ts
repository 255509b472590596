// What the kernel knows of a process and all its children: processor time and resident memory, from /proc.
import { readFileSync } from 'node:fs';

/** USER_HZ; the kernel's interface has had this value on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The process and everything below it, parents first. */
export function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

export function childrenOf(pid: number): number[] {
  const text = readOrEmpty(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

/** User and system time of one process with all its threads, in seconds. */
export function cpuSecondsOf(pid: number): number {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** The same of a whole tree. */
export function treeCpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + cpuSecondsOf(each), 0);
}

/** Resident memory of a whole tree in bytes; pages shared between its processes count once for each. */
export function treeRssBytes(pid: number): number {
  return processTree(pid).reduce((sum, each) => sum + rssBytesOf(each), 0);
}

/** Resident memory of one process in bytes. */
export function rssBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
