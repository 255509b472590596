import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearestName } from '../../../src/config/nearest-name.ts';

describe('nearestName', () => {
  const known = ['PORT', 'HOST', 'NUM_WORKERS'];

  it('guesses what a mistyped name was meant to be', () => {
    assert.deepEqual(
      ['PROT', 'hosts', 'WORKERS'].map((name) => nearestName(name, known)),
      ['PORT', 'HOST', 'NUM_WORKERS'],
    );
  });

  it('guesses nothing when no name is near', () => {
    assert.equal(nearestName('SOMETHING_ELSE', known), undefined);
    assert.equal(nearestName('PORT', []), undefined);
  });
});
