import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateKey, isStoredHash, KeyRing, storedHash } from '../../../src/clients/client-key.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

const ringOf = (keys: Readonly<Record<string, string>>) =>
  new KeyRing(Object.entries(keys), ([, key]) => storedHash(key));

describe('a client key', () => {
  it('begins with fp_ and has 256 random bits', () => {
    const keys = new Set(Array.from({ length: 100 }, generateKey));
    assert.equal(keys.size, 100);
    for (const key of keys) assert.match(key, /^fp_[A-Za-z0-9_-]{43}$/);
  });

  it('is stored as its SHA-256', () => {
    const stored = storedHash('fp_abc');
    assert.equal(stored, 'sha256:621d8be49ec0dd152e4ad39840bc5dfe78247351f0589064f3f7cb885d0bf9cb');
    assert.equal(isStoredHash(stored), true);
    for (const text of ['', 'fp_abc', stored.slice(7), `${stored}0`, stored.toUpperCase()]) {
      assert.equal(isStoredHash(text), false, text);
    }
  });
});

describe('a ring of keys', () => {
  const [one, two] = [generateKey(), generateKey()];
  const ring = ringOf({ one, two });

  it('finds the owner of a key among the texts that a client shows', () => {
    assert.equal(ring.find([one])?.[0], 'one');
    assert.equal(ring.find(['', two])?.[0], 'two');
    assert.equal(ring.find(['sk-something', two])?.[0], 'two');
    assert.equal(ring.find([two, one])?.[0], 'two');
  });

  it('finds nobody by anything else', () => {
    const others = [
      '',
      'x',
      one.slice(0, -1),
      `${one}=`,
      one.toUpperCase(),
      storedHash(one),
      'y'.repeat(100_000),
    ];
    for (const text of others) assert.equal(ring.find([text]), undefined, text.slice(0, 80));
    assert.equal(ring.find([]), undefined);
    assert.equal(ringOf({}).find([one]), undefined);
  });

  it('takes as long for a long text as for a short one', () => {
    const long = 'z'.repeat(1_000_000);
    const ms = cpuMsOf(() => {
      for (let i = 0; i < 200; i += 1) ring.find([long, long]);
    });
    assert.ok(ms < 200, `${ms} ms`);
  });

  it('never finds the owner of something that is no hash', () => {
    const broken = new KeyRing(['owner'], () => 'sha256:');
    assert.equal(broken.find(['', '']), undefined);
  });
});
