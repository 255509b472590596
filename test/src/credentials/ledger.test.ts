import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LEDGER_TIMES, Ledger, type LedgerTimes } from '../../../src/credentials/ledger.ts';
import type { PooledCredential } from '../../../src/credentials/snapshot.ts';
import { mintToken } from '../../../src/credentials/token.ts';
import { entryOf, failureOf, MINUTE } from './sample-pool.ts';

const SECOND = 1_000;
const HOUR = 60 * MINUTE;
const ledgerOf = (names: readonly string[], random = () => 0, times: LedgerTimes = LEDGER_TIMES): Ledger =>
  new Ledger(
    names.map((name) => entryOf(name)),
    0,
    times,
    random,
  );

function credential(ledger: Ledger, name: string): PooledCredential {
  return ledger.snapshot().credentials.find((one) => one.name === name) ?? assert.fail(`${name} is gone`);
}

const untils = (ledger: Ledger, name: string): [string | null, number][] =>
  credential(ledger, name).suspensions.map(({ model, until }) => [model, until]);

describe('a snapshot of the ledger', () => {
  it('holds every credential with its token, under a version that grows', () => {
    const ledger = ledgerOf(['a', 'b']);
    const [first, second] = [ledger.snapshot(), ledger.snapshot()];
    assert.ok(second.version > first.version);
    assert.deepEqual(
      first.credentials.map(({ name, token }) => [name, token]),
      [entryOf('a'), entryOf('b')].map((entry) => [entry.name, mintToken(entry)]),
    );
  });

  it('has no field that holds a secret but the token', () => {
    const fields = Object.keys(credential(ledgerOf(['a']), 'a')).sort();
    assert.deepEqual(fields, ['id', 'name', 'suspensions', 'token', 'weight']);
  });

  it('stays as it was handed out when something happens afterwards', () => {
    const ledger = ledgerOf(['a', 'b']);
    const before = ledger.snapshot();
    ledger.reportFailure(failureOf('a'), 0);
    assert.deepEqual(before.credentials[0]?.suspensions, []);
  });
});

describe('a reported failure', () => {
  it('cools a rejected credential for every model, a throttled one for its model', () => {
    const ledger = ledgerOf(['a', 'b', 'c']);
    const failed = ledger.reportFailure(failureOf('a', { model: 'm' }), 100);
    assert.equal(failed?.type, 'failed');
    ledger.reportFailure(failureOf('b', { reason: 'throttled', model: 'm', retryAfterMs: 900 }), 100);
    assert.deepEqual(untils(ledger, 'a'), [[null, 100 + 30 * SECOND]]);
    assert.deepEqual(untils(ledger, 'b'), [['m', 1_000]]);
    assert.deepEqual(ledger.count(), { total: 3, available: 2 }, 'out for one model is not out');
  });

  it('is one transition for a whole burst', () => {
    const ledger = ledgerOf(['a', 'b']);
    const burst = Array.from({ length: 20 }, (_, i) =>
      ledger.reportFailure(failureOf('a', { leasedAt: i }), 100 + i),
    );
    assert.deepEqual(
      burst.filter((transition) => transition !== undefined).map(({ type }) => type),
      ['failed'],
    );
  });

  it('of a credential that is gone changes nothing', () => {
    assert.equal(ledgerOf(['a']).reportFailure(failureOf('gone'), 0), undefined);
  });

  it('keeps the last available credential when it is rejected, not when it is throttled', () => {
    const ledger = ledgerOf(['a', 'b']);
    ledger.reportFailure(failureOf('a'), 0);
    assert.equal(ledger.reportFailure(failureOf('b'), 0)?.type, 'kept');
    assert.deepEqual(untils(ledger, 'b'), []);
    assert.equal(ledger.reportFailure(failureOf('b', { reason: 'throttled' }), 0)?.type, 'failed');
    assert.deepEqual(ledger.count(), { total: 2, available: 0 });
  });

  it('remembers 64 models of a credential and forgets the one that ends first beyond that', () => {
    const ledger = ledgerOf(['a', 'b']);
    for (let i = 0; i < 100; i += 1) {
      const part = { reason: 'throttled', model: `m${i}`, retryAfterMs: 1_000 + i } as const;
      ledger.reportFailure(failureOf('a', part), 0);
    }
    ledger.reportFailure(failureOf('a'), 0);
    const models = credential(ledger, 'a').suspensions.map(({ model }) => model);
    assert.equal(models.length, 64);
    assert.ok(models.includes(null) && models.includes('m99') && !models.includes('m0'));
  });
});

describe('a token', () => {
  it('is refreshed before its hour ends, at a time of its own so that not all come at once', () => {
    const randoms = [0, 0.5, 0.999];
    const ledger = ledgerOf(['a', 'b', 'c'], () => randoms.shift() ?? 0);
    const latest = HOUR - 5 * MINUTE;
    const earliest = latest - 0.999 * 5 * MINUTE;
    assert.equal(ledger.nextDueAt(), earliest);
    assert.equal(ledger.advance(earliest - 1, []).hasChanged, false);
    assert.equal(ledger.advance(earliest, []).hasChanged, true);
    assert.equal(ledger.nextDueAt(), latest - 0.5 * 5 * MINUTE);
    ledger.advance(latest, []);
    assert.ok(ledger.nextDueAt() > latest);
  });

  it('is refreshed for ever, whatever the jitter', () => {
    const ledger = ledgerOf(['a', 'b'], Math.random);
    let now = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const due = ledger.nextDueAt();
      assert.ok(due > now && due - now <= HOUR - 5 * MINUTE);
      now = due;
      assert.equal(ledger.advance(now, []).hasChanged, true);
    }
  });
});

describe('a new list of credentials', () => {
  it('keeps the cooldowns of those that stay, with a new name and weight', () => {
    const ledger = ledgerOf(['a', 'b']);
    ledger.reportFailure(failureOf('a'), 0);
    const renamed = entryOf('a', { name: 'renamed', weight: 3 });
    assert.deepEqual(ledger.replace([renamed, entryOf('c')], 10), [
      { type: 'added', name: 'c' },
      { type: 'removed', name: 'b' },
    ]);
    assert.deepEqual(untils(ledger, 'renamed'), [[null, 30 * SECOND]]);
    assert.equal(credential(ledger, 'renamed').weight, 3);
  });

  it('lets a credential that was removed come back clean', () => {
    const ledger = ledgerOf(['a', 'b']);
    ledger.reportFailure(failureOf('a'), 0);
    ledger.replace([entryOf('b')], 1);
    ledger.replace([entryOf('a'), entryOf('b')], 2);
    assert.deepEqual(untils(ledger, 'a'), []);
    const record = ledger.reportFailure(failureOf('a', { leasedAt: 3 }), 3);
    assert.equal(record?.type === 'failed' && record.record.failures, 1);
  });

  it('changes nothing when it is the same', () => {
    const ledger = ledgerOf(['a', 'b']);
    const before = ledger.snapshot().credentials;
    assert.deepEqual(ledger.replace([entryOf('a'), entryOf('b')], MINUTE), []);
    assert.deepEqual(ledger.snapshot().credentials, before);
  });
});
