import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { type GateVerdict, LimitGate } from '../../../src/proxy/limit-gate.ts';

/** A gate with a record of what the primary was told, and of what came back. */
function gate(waitMs?: number) {
  const told: string[] = [];
  const verdicts: GateVerdict[] = [];
  const limits = new LimitGate(
    {
      admit: (admission, client) => told.push(`admit ${admission} ${client}`),
      release: (admission) => told.push(`release ${admission}`),
    },
    waitMs,
  );
  const connection = new EventEmitter();
  const enter = (): void => limits.enter('ci', connection, (verdict) => verdicts.push(verdict));
  return { limits, connection, enter, told, verdicts };
}

describe('the gate', () => {
  it('asks the primary, and gives back what was granted when the exchange is over', () => {
    const { limits, connection, enter, told, verdicts } = gate();
    enter();
    limits.onAdmitted(1, { type: 'admitted' });
    assert.deepEqual(verdicts, [{ type: 'admitted' }]);
    assert.deepEqual(told, ['admit 1 ci']);
    connection.emit('close');
    connection.emit('close');
    assert.deepEqual(told, ['admit 1 ci', 'release 1']);
  });

  it('gives nothing back when it was refused', () => {
    const { limits, connection, enter, told, verdicts } = gate();
    enter();
    limits.onAdmitted(1, { type: 'unknownKey' });
    connection.emit('close');
    assert.deepEqual(verdicts, [{ type: 'unknownKey' }]);
    assert.deepEqual(told, ['admit 1 ci']);
  });

  it('gives back at once, and lets nobody in, when the client leaves before the answer', () => {
    const { limits, connection, enter, told, verdicts } = gate();
    enter();
    connection.emit('close');
    limits.onAdmitted(1, { type: 'admitted' });
    assert.deepEqual(verdicts, []);
    assert.deepEqual(told, ['admit 1 ci', 'release 1']);
  });

  it('lets nobody in when the primary does not answer in time, nor when it answers too late', async () => {
    const { limits, connection, enter, told, verdicts } = gate(5);
    await new Promise<void>((resolve) => {
      limits.enter('ci', connection, (verdict) => {
        verdicts.push(verdict);
        resolve();
      });
    });
    limits.onAdmitted(1, { type: 'admitted' });
    connection.emit('close');
    assert.deepEqual(verdicts, [{ type: 'unanswered' }]);
    assert.deepEqual(told, ['admit 1 ci', 'release 1']);
    enter();
    assert.equal(told.at(-1), 'admit 2 ci');
    connection.emit('close');
  });
});
