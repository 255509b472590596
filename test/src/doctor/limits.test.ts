import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLocalPorts, checkOpenFiles, checkQueue } from '../../../src/doctor/limits.ts';

const inbound = { connections: 10_000, inFlight: 2_000, headerMs: 1, bodyMs: 1, loopDelayMs: 0 };
const limits = (hard: string | number): string =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            1024                 ${hard}                files     \n`;

describe('what Linux allows', () => {
  it('open files are enough when every connection of a worker has two, and there is a reserve', () => {
    const verdict = (hard: string | number) => checkOpenFiles(limits(hard), { inbound }).verdict;
    assert.deepEqual(['unlimited', 65_536, 20_500, 20_499, 1024, 1023].map(verdict), [
      ...['ok', 'ok', 'ok', 'warn', 'warn', 'fail'],
    ]);
    assert.match(checkOpenFiles(limits(4096), { inbound }).fix ?? '', /LimitNOFILE/);
  });

  it('a short queue of waiting connections is worth a warning', () => {
    assert.deepEqual([checkQueue('128\n').verdict, checkQueue('1024\n').verdict], ['warn', 'ok']);
    assert.match(checkQueue('128\n').fix ?? '', /sysctl -w net\.core\.somaxconn=1024/);
  });

  it('local ports must suffice for all workers, and leave our own alone', () => {
    const look = (range: string, workers: number) => checkLocalPorts(range, { inbound, port: 8899 }, workers);
    assert.equal(look('32768\t60999\n', 14).verdict, 'ok');
    assert.equal(look('32768\t60999\n', 15).verdict, 'warn');
    const overlapping = look('1024\t65535\n', 1);
    assert.equal(overlapping.verdict, 'warn');
    assert.match(overlapping.fix ?? '', /ip_local_reserved_ports=8899/);
  });

  it('a machine that tells nothing is not judged', () => {
    assert.match(checkOpenFiles(null, { inbound }).message, /not looked at/);
    assert.match(checkQueue(null).message, /not looked at/);
    assert.match(checkLocalPorts(null, { inbound, port: 1 }, 1).message, /not looked at/);
  });
});
