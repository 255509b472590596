import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { countWorkers } from '../../../src/host/worker-count.ts';

/** Workers on a machine with 16 processors and these files. */
function count(files: Record<string, string>, processors = 16): number {
  return countWorkers(processors, (path) => files[path] ?? null);
}

const V2 = '/sys/fs/cgroup';

describe('the number of workers that auto means', () => {
  it('is that of the processors when there is no quota', () => {
    assert.equal(count({}), 16);
    assert.equal(count({ '/proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: 'max 100000\n' }), 16);
  });

  it('is the quota of a cgroup v2, rounded up', () => {
    assert.equal(count({ [`${V2}/cpu.max`]: '200000 100000\n' }), 2);
    assert.equal(count({ [`${V2}/cpu.max`]: '250000 100000\n' }), 3);
    assert.equal(count({ [`${V2}/cpu.max`]: '50000' }), 1, 'the period is 100 ms unless it is given');
  });

  it('is the smallest quota of all cgroups around us', () => {
    const files = {
      '/proc/self/cgroup': '0::/system.slice/flow-proxy.service/sub\n',
      [`${V2}/cpu.max`]: 'max 100000',
      [`${V2}/system.slice/cpu.max`]: '300000 100000',
      [`${V2}/system.slice/flow-proxy.service/cpu.max`]: '800000 100000',
      [`${V2}/system.slice/flow-proxy.service/sub/cpu.max`]: 'max 100000',
      [`${V2}/other/cpu.max`]: '100000 100000',
    };
    assert.equal(count(files), 3);
  });

  it('is the quota of a cgroup v1, where -1 is none', () => {
    const v1 = (quota: string): Record<string, string> => ({
      '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n',
      [`${V2}/cpu/cpu.cfs_quota_us`]: quota,
      [`${V2}/cpu/cpu.cfs_period_us`]: '50000\n',
    });
    assert.equal(count(v1('150000\n')), 3);
    assert.equal(count(v1('-1\n')), 16);
  });

  it('is at least one and never more than the processors', () => {
    assert.equal(count({ [`${V2}/cpu.max`]: '1000 100000' }), 1);
    assert.equal(count({ [`${V2}/cpu.max`]: '9900000 100000' }), 16);
    assert.equal(count({}, 0), 1);
  });

  it('does not mind files that say something else', () => {
    for (const text of ['', 'garbage', '0 0', 'max', '-5 100000', '1 2 3 4'.repeat(99)]) {
      const workers = count({ '/proc/self/cgroup': text, [`${V2}/cpu.max`]: text });
      assert.ok(Number.isInteger(workers) && workers >= 1 && workers <= 16, text);
    }
    assert.equal(
      count({ '/proc/self/cgroup': '0::/../../outside\n', [`${V2}/cpu.max`]: '100000 100000' }),
      1,
    );
  });

  it('is found on this machine', () => {
    const workers = countWorkers();
    assert.ok(workers >= 1 && workers <= availableParallelism());
  });
});
