import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeHost, type Machine } from '../../../src/host/description.ts';

const GB = 2 ** 30;
const MACHINE: Machine = {
  processors: [{ model: 'Intel(R) Xeon(R)  CPU @ 2.20GHz ' }, { model: 'Intel(R) Xeon(R)  CPU @ 2.20GHz ' }],
  freeBytes: 3.25 * GB,
  totalBytes: 8 * GB,
  system: 'Linux',
  kernel: '6.1.0-28-amd64',
};

/** The line on a machine with these files. */
const line = (files: Record<string, string>, machine = MACHINE): string =>
  describeHost(machine, (path) => files[path] ?? null);

describe('the line about the host', () => {
  it('names processors, memory, distribution and kernel', () => {
    const files = { '/etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' };
    assert.equal(
      line(files),
      '2 × Intel(R) Xeon(R) CPU @ 2.20GHz, 3.3 GB of 8.0 GB memory free, Debian GNU/Linux 12 (bookworm), kernel 6.1.0-28-amd64',
    );
  });

  it('goes without what the machine does not tell', () => {
    assert.match(
      line({ '/usr/lib/os-release': "PRETTY_NAME='Alpine Linux v3.21'\n" }),
      /, Alpine Linux v3\.21, /,
    );
    assert.match(line({ '/etc/os-release': 'PRETTY_NAME=\n' }), / free, Linux, kernel /);
    const [nothing, models] = [
      line({}, { ...MACHINE, processors: [] }),
      line({}, { ...MACHINE, processors: [{ model: '' }] }),
    ];
    assert.match(nothing, /^0 × unknown processor, /);
    assert.match(models, /^1 × unknown processor, /);
  });

  it('describes this machine', () => {
    assert.match(describeHost(), /^\d+ × .+, \d+\.\d GB of \d+\.\d GB memory free, .+, kernel .+$/);
  });
});
