import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryLimitBytes } from '../../../src/host/cgroup.ts';
import { memoryLimits } from '../../../src/host/memory-share.ts';
import { affordableConnections, openFileLimit, openFilesWarning } from '../../../src/host/open-files.ts';
import { countWorkers } from '../../../src/host/worker-count.ts';

const CGROUPS = '/sys/fs/cgroup';
const MB = 1024 * 1024;
const reading = (files: Readonly<Record<string, string>>) => (path: string) => files[path] ?? null;
const AUTO = { softBytes: 'auto', hardBytes: 'auto', heapBytes: 'auto' } as const;

describe('the memory limit of the cgroups', () => {
  it('is the smallest of our group and those around it, of version 2', () => {
    const read = reading({
      '/proc/self/cgroup': '0::/system.slice/flow-proxy.service\n',
      [`${CGROUPS}/system.slice/flow-proxy.service/memory.max`]: 'max\n',
      [`${CGROUPS}/system.slice/flow-proxy.service/memory.high`]: `${900 * MB}\n`,
      [`${CGROUPS}/system.slice/memory.max`]: `${700 * MB}\n`,
    });
    assert.equal(memoryLimitBytes(read), 700 * MB);
    assert.equal(memoryLimitBytes(reading({})), Number.POSITIVE_INFINITY);
  });

  it('is that of the memory controller, of version 1', () => {
    const read = reading({
      '/proc/self/cgroup': '5:cpu,cpuacct:/a\n4:memory:/docker/abc\n0::/\n',
      [`${CGROUPS}/memory/docker/abc/memory.limit_in_bytes`]: `${300 * MB}\n`,
      [`${CGROUPS}/memory/memory.limit_in_bytes`]: '9223372036854771712\n',
    });
    assert.equal(memoryLimitBytes(read), 300 * MB);
  });

  it('bounds the number of workers that auto means', () => {
    const limited = (bytes: number) =>
      reading({ '/proc/self/cgroup': '0::/\n', [`${CGROUPS}/memory.max`]: String(bytes) });
    assert.equal(countWorkers(16, limited(512 * MB)), 3);
    assert.equal(countWorkers(16, limited(64 * MB)), 1);
    assert.equal(countWorkers(2, limited(8192 * MB)), 2);
  });

  it('counts for the quota of a v1 group of our own, too', () => {
    const read = reading({
      '/proc/self/cgroup': '5:cpu,cpuacct:/system.slice/flow\n',
      [`${CGROUPS}/cpu,cpuacct/system.slice/flow/cpu.cfs_quota_us`]: '150000\n',
      [`${CGROUPS}/cpu,cpuacct/system.slice/flow/cpu.cfs_period_us`]: '100000\n',
    });
    assert.equal(countWorkers(16, read), 2);
  });
});

describe('memory limits of a worker', () => {
  it('are shares of the machine or the cgroup, whichever is less', () => {
    const { hardBytes, softBytes, heapBytes } = memoryLimits(AUTO, 3, 4000 * MB, reading({}));
    assert.deepEqual(
      [hardBytes, softBytes, heapBytes].map((bytes) => bytes / MB),
      [800, 600, 600],
    );
    const limited = reading({ '/proc/self/cgroup': '0::/\n', [`${CGROUPS}/memory.max`]: String(2000 * MB) });
    assert.equal(memoryLimits(AUTO, 3, 4000 * MB, limited).hardBytes, 400 * MB);
  });

  it('leave a worker room to live, and the heap no more than 4 GB', () => {
    const { hardBytes, softBytes } = memoryLimits(AUTO, 8, 500 * MB, reading({}));
    assert.deepEqual([hardBytes / MB, softBytes / MB], [256, 192]);
    assert.equal(memoryLimits(AUTO, 1, 64_000 * MB, reading({})).heapBytes, 4096 * MB);
  });

  it('follow what is set, one from the other', () => {
    const set = memoryLimits({ ...AUTO, hardBytes: 1000 * MB }, 2, 9000 * MB, reading({}));
    assert.deepEqual([set.softBytes / MB, set.heapBytes / MB], [750, 750]);
    assert.equal(memoryLimits({ ...AUTO, softBytes: 7 * MB }, 2, 9000 * MB, reading({})).softBytes, 7 * MB);
  });
});

describe('open files', () => {
  const limit = (soft: string): number =>
    openFileLimit(
      reading({ '/proc/self/limits': `Max open files            ${soft}                 9999 files\n` }),
    );

  it('are read from what the kernel says', () => {
    assert.equal(limit('4096'), 4096);
    assert.equal(limit('unlimited'), Number.POSITIVE_INFINITY);
    assert.equal(openFileLimit(reading({})), Number.POSITIVE_INFINITY);
  });

  it('are two for each connection and a reserve; a warning names LimitNOFILE and what fits', () => {
    assert.equal(openFilesWarning(10_000, 20_500), undefined);
    const warning = openFilesWarning(10_000, 20_499) ?? '';
    assert.match(
      warning,
      /FLOW_PROXY_MAX_CONNECTIONS 10000 may need 20500 open files.*20499.*LimitNOFILE=.*9999/,
    );
    assert.deepEqual([1024, 65_536, 100].map(affordableConnections), [262, 10_000, 1]);
  });
});
