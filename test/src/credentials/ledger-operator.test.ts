import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from '../../../src/credentials/ledger.ts';
import { entryOf, failureOf, MINUTE } from './sample-pool.ts';

const ledgerOf = (...names: string[]): Ledger =>
  new Ledger(
    names.map((name) => entryOf(name)),
    0,
  );
const offered = (ledger: Ledger): string[] => ledger.snapshot().credentials.map(({ name }) => name);

describe('a credential that an operator disables', () => {
  it('is in no snapshot until it is enabled, and reported all the same', () => {
    const ledger = ledgerOf('a', 'b');
    assert.deepEqual(ledger.setDisabled('a', true), { type: 'disabled', name: 'a' });
    assert.deepEqual(offered(ledger), ['b']);
    assert.deepEqual(
      ledger.report().map(({ name, isAvailable, isDisabled }) => [name, isAvailable, isDisabled]),
      [
        ['a', false, true],
        ['b', true, false],
      ],
    );
    assert.deepEqual(ledger.count(), { total: 2, available: 1 });
    ledger.setDisabled('a', false);
    assert.deepEqual(offered(ledger), ['a', 'b']);
  });

  it('stays out after a reload, also when its secret is another one', () => {
    const ledger = ledgerOf('a', 'b');
    ledger.setDisabled('a', true);
    ledger.replace([entryOf('b'), entryOf('a')], 0);
    assert.deepEqual(offered(ledger), ['b']);
    ledger.replace([entryOf('b'), entryOf('a', { id: 'another', clientSecret: 'another' })], 0);
    assert.deepEqual(offered(ledger), ['b']);
  });

  it('makes the other one the last, which no refusal takes out', () => {
    const ledger = ledgerOf('a', 'b');
    ledger.setDisabled('a', true);
    assert.equal(ledger.reportFailure(failureOf('b', { reason: 'rejected' }), 0)?.type, 'kept');
  });

  it('is not probed meanwhile', () => {
    const ledger = ledgerOf('a', 'b');
    ledger.reportFailure(failureOf('a'), 0);
    ledger.setDisabled('a', true);
    assert.equal(ledger.advance(5 * MINUTE, [1]).hasChanged, false);
    assert.ok(ledger.nextDueAt() > 30 * MINUTE, 'nothing but a fresh token is due');
  });

  it('is no news the second time, nor under a name that nobody has', () => {
    const ledger = ledgerOf('a');
    assert.equal(ledger.setDisabled('a', false), undefined);
    assert.equal(ledger.setDisabled('z', true), undefined);
  });
});

describe('a credential that an operator resets', () => {
  it('has no cooldown left', () => {
    const ledger = ledgerOf('a', 'b');
    ledger.reportFailure(failureOf('a'), 0);
    assert.deepEqual(ledger.reset('a'), { type: 'reset', name: 'a' });
    assert.deepEqual(ledger.snapshot().credentials[0]?.suspensions, []);
    assert.equal(ledger.reset('a'), undefined);
  });
});
