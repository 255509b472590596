import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LEDGER_TIMES, Ledger } from '../../../src/credentials/ledger.ts';
import type { ProbeGrant } from '../../../src/credentials/snapshot.ts';
import { entryOf, failureOf, MINUTE } from './sample-pool.ts';

const END = 30_000;
/** A grant is good for this long, and another one follows this much later. */
const GRANT_MS = 1_000;
const NEXT_MS = 1_250;

/** Two credentials, the first one rejected at zero. */
function cooled(names: readonly string[] = ['a', 'b']): Ledger {
  const entries = names.map((name) => entryOf(name));
  const ledger = new Ledger(entries, 0, LEDGER_TIMES, () => 0);
  ledger.reportFailure(failureOf('a'), 0);
  return ledger;
}

function grantOf(ledger: Ledger, model: string | null = null): ProbeGrant | null | undefined {
  const [first] = ledger.snapshot().credentials;
  return first?.suspensions.find((suspension) => suspension.model === model)?.probe;
}

describe('when a cooldown ends', () => {
  it('one worker is granted one probe, and not before', () => {
    const ledger = cooled();
    assert.equal(ledger.nextDueAt(), END);
    assert.equal(ledger.advance(END - 1, [0, 1]).hasChanged, false);
    assert.equal(grantOf(ledger), null);
    assert.equal(ledger.advance(END, [0, 1]).hasChanged, true);
    assert.deepEqual(grantOf(ledger), { worker: 0, validUntil: END + GRANT_MS });
  });

  it('a grant that nobody uses goes round the ready workers, each after the one before has run out', () => {
    const ledger = cooled();
    const slots = Array.from({ length: 5 }, (_, turn) => {
      const now = END + turn * NEXT_MS;
      assert.equal(ledger.nextDueAt(), now);
      assert.equal(ledger.advance(now - 1, [0, 2, 5]).hasChanged, false, 'not while it may be used still');
      ledger.advance(now, [0, 2, 5]);
      return grantOf(ledger)?.worker;
    });
    assert.deepEqual(slots, [0, 2, 5, 0, 2]);
  });

  it('a worker that has a request waiting for it comes first, and for as long as it says so', () => {
    const ledger = cooled();
    const workers = [0, 1, 2, 3, 4, 5, 6, 7];
    ledger.advance(END, workers);
    ledger.reportProbeWanted(6, END + 100);
    ledger.advance(END + NEXT_MS, workers);
    assert.equal(grantOf(ledger)?.worker, 6);
    ledger.advance(END + 2 * NEXT_MS, workers);
    assert.equal(grantOf(ledger)?.worker, 7);
    ledger.reportProbeWanted(3, END + 2 * NEXT_MS);
    ledger.releaseWorker(3);
    ledger.advance(END + 3 * NEXT_MS, workers);
    assert.equal(grantOf(ledger)?.worker, 0);
  });

  it('and the probe is on its way, no other is granted until it ends', () => {
    const ledger = cooled();
    ledger.advance(END, [0, 1]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, END);
    for (const now of [END + NEXT_MS, END + 9_999])
      assert.equal(ledger.advance(now, [0, 1]).hasChanged, false);
    assert.equal(ledger.reportProbeEnded('id-a', null, grantOf(ledger)?.worker ?? -1, false), undefined);
    assert.equal(ledger.advance(END + 9_999, [0, 1]).hasChanged, true);
    assert.equal(grantOf(ledger)?.worker, 1);
  });

  it('and the probe succeeds, the credential is in again and has recovered once', () => {
    const ledger = cooled();
    ledger.advance(END, [0]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, END);
    assert.deepEqual(ledger.reportProbeEnded('id-a', null, grantOf(ledger)?.worker ?? -1, true), {
      type: 'recovered',
      name: 'a',
      model: null,
      why: 'answered',
    });
    assert.equal(ledger.reportProbeEnded('id-a', null, grantOf(ledger)?.worker ?? -1, true), undefined);
    assert.deepEqual(ledger.count(), { total: 2, available: 2 });
  });

  it('and the probe fails, the next cooldown is twice as long and is probed after it', () => {
    const ledger = cooled();
    ledger.advance(END, [0]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, END);
    const now = END + 100;
    ledger.reportFailure(failureOf('a', { leasedAt: END + 50 }), now);
    assert.equal(grantOf(ledger), null);
    assert.equal(ledger.nextDueAt(), now + 60_000);
    assert.equal(ledger.advance(now + 60_000, [0]).hasChanged, true);
  });

  it('and the last credential there is fails its probe, it is probed again after the next cooldown', () => {
    const ledger = new Ledger([entryOf('a')], 0, LEDGER_TIMES, () => 0);
    ledger.reportFailure(failureOf('a', { reason: 'throttled' }), 0);
    ledger.advance(5_000, [0]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, 5_000);
    assert.equal(ledger.reportFailure(failureOf('a', { leasedAt: 5_001 }), 5_100)?.type, 'failed');
    assert.equal(ledger.nextDueAt(), 5_100 + 60_000);
    assert.equal(ledger.advance(5_100 + 60_000, [0]).hasChanged, true);
    assert.equal(grantOf(ledger)?.worker, 0);
  });

  it('and the probing worker dies, another one gets the grant at once', () => {
    const ledger = cooled();
    ledger.advance(END, [0, 1]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, END);
    ledger.releaseWorker(1);
    assert.equal(ledger.advance(END + 1, [0, 1]).hasChanged, false, 'the death of another changes nothing');
    ledger.releaseWorker(0);
    assert.equal(ledger.advance(END + 1, [1]).hasChanged, true);
    assert.equal(grantOf(ledger)?.worker, 1);
  });

  it('and a failure of the old burst asks for longer, the next grant waits for that', () => {
    const ledger = cooled();
    ledger.reportFailure(failureOf('a', { reason: 'throttled', model: 'm', retryAfterMs: END }), 0);
    ledger.advance(END, [0, 1]);
    const late = failureOf('a', { reason: 'throttled', model: 'm', retryAfterMs: MINUTE, leasedAt: -1 });
    assert.equal(ledger.reportFailure(late, END + 10), undefined);
    const before = grantOf(ledger, 'm');
    ledger.advance(END + 9 + MINUTE, [0, 1]);
    assert.deepEqual(grantOf(ledger, 'm'), before, 'out of date, and worth nothing before the end');
    ledger.advance(END + 10 + MINUTE, [0, 1]);
    assert.ok((grantOf(ledger, 'm')?.validUntil ?? 0) > END + 10 + MINUTE);
  });

  it('and a failure of the old burst asks for longer than a probe under way knew, it has not recovered', () => {
    const ledger = new Ledger([entryOf('a')], 0, LEDGER_TIMES, () => 0);
    ledger.reportFailure(failureOf('a', { reason: 'throttled', retryAfterMs: 100 }), 0);
    ledger.advance(100, [0]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, 100);
    ledger.reportFailure(failureOf('a', { reason: 'throttled', retryAfterMs: MINUTE, leasedAt: -1 }), 150);
    assert.equal(ledger.reportProbeEnded('id-a', null, grantOf(ledger)?.worker ?? -1, true), undefined);
    assert.equal(ledger.nextDueAt(), 150 + MINUTE);
  });

  it('and a failure of the old burst lengthens it, the failing probe still makes room for the next', () => {
    const ledger = new Ledger([entryOf('a')], 0, LEDGER_TIMES, () => 0);
    const throttled = { reason: 'throttled', retryAfterMs: 100 } as const;
    ledger.reportFailure(failureOf('a', throttled), 0);
    ledger.advance(100, [0]);
    ledger.reportProbeStarted('id-a', null, grantOf(ledger)?.worker ?? -1, 100);
    ledger.reportFailure(failureOf('a', { ...throttled, retryAfterMs: MINUTE, leasedAt: -1 }), 150);
    ledger.reportFailure(failureOf('a', { ...throttled, leasedAt: 120 }), 200);
    assert.equal(ledger.nextDueAt(), 150 + MINUTE);
    assert.equal(ledger.advance(150 + MINUTE, [0]).hasChanged, true);
  });
});

describe('the time of what is due next', () => {
  it('does not stand still in the past while no worker is ready', () => {
    const ledger = cooled();
    assert.equal(ledger.advance(END, []).hasChanged, false);
    assert.equal(ledger.nextDueAt(), END + GRANT_MS);
    assert.equal(ledger.advance(ledger.nextDueAt(), [3]).hasChanged, true);
    assert.equal(grantOf(ledger)?.worker, 3);
  });

  it('moves on with every advance, until the cooldown is forgotten 10 minutes after its end', () => {
    for (const readySlots of [[], [0], [0, 1, 2]]) {
      const ledger = cooled();
      let now = 0;
      for (let turns = 0; ledger.count().available < 2; turns += 1) {
        const due = ledger.nextDueAt();
        assert.ok(due > now && turns < 1_000, `due ${due} at ${now}`);
        now = due;
        ledger.advance(now, readySlots);
      }
      assert.ok(now >= END + 10 * MINUTE && now < END + 10 * MINUTE + NEXT_MS, `forgotten at ${now}`);
      assert.ok(ledger.nextDueAt() > now + 10 * MINUTE, 'only the token is due');
    }
  });

  it('is that of a probe that the upstream works on, which will not be refused any more: the credential is in again', () => {
    const ledger = cooled();
    ledger.advance(END, [0]);
    ledger.reportProbeStarted('id-a', null, 0, END + 500);
    assert.equal(ledger.nextDueAt(), END + 10_500);
    const { hasChanged, transitions } = ledger.advance(END + 10_500, [0]);
    assert.deepEqual(
      [hasChanged, transitions],
      [true, [{ type: 'recovered', name: 'a', model: null, why: 'not refused' }]],
    );
    assert.equal(ledger.count().available, 2);
    assert.equal(ledger.reportProbeEnded('id-a', null, 0, true), undefined, 'it has recovered already');
  });

  it('and if a late failure has lengthened the cooldown meanwhile, that is waited for', () => {
    const ledger = new Ledger([entryOf('a')], 0, LEDGER_TIMES, () => 0);
    ledger.reportFailure(failureOf('a', { reason: 'throttled', retryAfterMs: 100 }), 0);
    ledger.advance(100, [0]);
    ledger.reportProbeStarted('id-a', null, 0, 110);
    ledger.reportFailure(failureOf('a', { reason: 'throttled', retryAfterMs: MINUTE, leasedAt: -1 }), 150);
    assert.deepEqual(ledger.advance(10_110, [0]).transitions, []);
    assert.equal(ledger.nextDueAt(), 150 + MINUTE);
  });

  it('ends a cooldown that nobody asks about, and says so', () => {
    const ledger = cooled();
    const { transitions } = ledger.advance(END + 10 * MINUTE, []);
    assert.deepEqual(transitions, [{ type: 'recovered', name: 'a', model: null, why: 'not asked' }]);
  });
});
