import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientKeyEntry } from '../../../src/clients/keys-file.ts';
import { ClientLimits, type LimitVerdict } from '../../../src/clients/limits.ts';

function key(
  name: string,
  requestsPerMinute: number | null,
  concurrent: number | null = null,
): ClientKeyEntry {
  return { name, hash: '', createdAt: null, rotatedAt: null, requestsPerMinute, concurrent, models: null };
}

/** Limits of some keys, and a client that numbers its exchanges. */
function limitsOf(...keys: readonly ClientKeyEntry[]) {
  const limits = new ClientLimits();
  limits.replace(keys);
  let admission = 0;
  const admit = (name: string, now: number, worker = 1): LimitVerdict => {
    admission += 1;
    return limits.admit(name, { worker, admission }, now);
  };
  return { limits, admit };
}

const refused = (limit: 'requestsPerMinute' | 'concurrent', most: number, retryAfterMs: number) => ({
  type: 'refused',
  limit,
  most,
  retryAfterMs,
});

describe('requests per minute', () => {
  it('are never more than the limit within any 60 seconds, and the time to wait is exact', () => {
    const { admit } = limitsOf(key('ci', 2));
    assert.equal(admit('ci', 0).type, 'admitted');
    assert.equal(admit('ci', 59_000).type, 'admitted');
    assert.deepEqual(admit('ci', 59_500), refused('requestsPerMinute', 2, 500));
    assert.deepEqual(admit('ci', 59_999), refused('requestsPerMinute', 2, 1));
    assert.equal(admit('ci', 60_000).type, 'admitted');
    assert.deepEqual(admit('ci', 60_001), refused('requestsPerMinute', 2, 58_999));
  });

  it('do not count the requests that were refused', () => {
    const { admit } = limitsOf(key('ci', 1));
    admit('ci', 0);
    for (let now = 1; now < 60_000; now += 1_000) assert.equal(admit('ci', now).type, 'refused');
    assert.equal(admit('ci', 60_000).type, 'admitted');
  });

  it('are counted for each key by itself', () => {
    const { admit } = limitsOf(key('one', 1), key('two', 1));
    assert.equal(admit('one', 0).type, 'admitted');
    assert.equal(admit('two', 0).type, 'admitted');
    assert.equal(admit('one', 1).type, 'refused');
  });

  it('stay counted when the key is rotated, and by the new limit when that is another', () => {
    const { limits, admit } = limitsOf(key('ci', 3));
    for (const now of [0, 10_000, 20_000]) assert.equal(admit('ci', now).type, 'admitted');
    limits.replace([key('ci', 1)]);
    assert.deepEqual(admit('ci', 30_000), refused('requestsPerMinute', 1, 50_000));
    limits.replace([key('ci', 4)]);
    assert.equal(admit('ci', 30_000).type, 'admitted');
    assert.equal(admit('ci', 30_000).type, 'refused');
  });

  it('are counted right over many minutes', () => {
    const { admit } = limitsOf(key('ci', 3_000));
    let admitted = 0;
    for (let now = 0; now < 600_000; now += 10) if (admit('ci', now).type === 'admitted') admitted += 1;
    assert.equal(admitted, 30_000);
  });
});

describe('exchanges at a time', () => {
  it('are bounded over all workers, and come free when one ends', () => {
    const { limits } = limitsOf(key('ci', null, 2));
    assert.equal(limits.admit('ci', { worker: 1, admission: 1 }, 0).type, 'admitted');
    assert.equal(limits.admit('ci', { worker: 2, admission: 1 }, 0).type, 'admitted');
    assert.deepEqual(limits.admit('ci', { worker: 1, admission: 2 }, 0), refused('concurrent', 2, 1_000));
    limits.release({ worker: 2, admission: 1 });
    assert.equal(limits.admit('ci', { worker: 1, admission: 3 }, 0).type, 'admitted');
  });

  it('come free when the worker that held them dies', () => {
    const { limits } = limitsOf(key('ci', null, 2));
    limits.admit('ci', { worker: 1, admission: 1 }, 0);
    limits.admit('ci', { worker: 1, admission: 2 }, 0);
    limits.releaseWorker(1);
    assert.equal(limits.inFlight('ci'), 0);
    limits.release({ worker: 1, admission: 1 });
    assert.equal(limits.inFlight('ci'), 0);
  });

  it('are freed once only, and not by what never held one', () => {
    const { limits } = limitsOf(key('ci', null, 1));
    limits.admit('ci', { worker: 1, admission: 1 }, 0);
    limits.admit('ci', { worker: 1, admission: 2 }, 0);
    limits.release({ worker: 1, admission: 2 });
    limits.release({ worker: 9, admission: 1 });
    assert.equal(limits.inFlight('ci'), 1);
    limits.release({ worker: 1, admission: 1 });
    limits.release({ worker: 1, admission: 1 });
    assert.equal(limits.inFlight('ci'), 0);
  });

  it('take nothing of the requests per minute when they are what refuses', () => {
    const { limits, admit } = limitsOf(key('ci', 2, 1));
    limits.admit('ci', { worker: 7, admission: 1 }, 0);
    assert.equal(admit('ci', 0).type, 'refused');
    limits.release({ worker: 7, admission: 1 });
    assert.equal(admit('ci', 0).type, 'admitted');
  });
});

describe('a key that is gone', () => {
  it('admits nobody, while its exchanges under way are still counted to their end', () => {
    const { limits } = limitsOf(key('ci', null, 1));
    limits.admit('ci', { worker: 1, admission: 1 }, 0);
    limits.replace([]);
    assert.deepEqual(limits.admit('ci', { worker: 1, admission: 2 }, 0), { type: 'unknownKey' });
    assert.equal(limits.inFlight('ci'), 1);
    limits.replace([key('ci', null, 1)]);
    assert.equal(limits.admit('ci', { worker: 1, admission: 3 }, 0).type, 'refused');
    limits.release({ worker: 1, admission: 1 });
    assert.equal(limits.admit('ci', { worker: 1, admission: 4 }, 0).type, 'admitted');
  });
});
